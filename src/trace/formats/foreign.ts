/** Reads fields of JSON from other tools, where any field may have any type or be missing. */

import { itemsOf, membersOf } from '../../base/json.ts';

export type Members = Record<string, unknown>;

export const members: typeof membersOf = membersOf;
export const list: typeof itemsOf = itemsOf;
export const text = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null;
