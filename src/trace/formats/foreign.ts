/** Takes what is there out of other people's JSON, whose fields may be anything or missing. */

import { itemsOf, membersOf } from '../../base/json.ts';

export type Members = Record<string, unknown>;

export const members: typeof membersOf = membersOf;
export const list: typeof itemsOf = itemsOf;
export const text = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null;
