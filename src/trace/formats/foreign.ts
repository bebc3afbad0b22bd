/** Takes what is there out of other people's JSON, whose fields may be anything or missing. */

export type Members = Record<string, unknown>;

export const members = (value: unknown): Members =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Members) : {};
export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
export const text = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null;
