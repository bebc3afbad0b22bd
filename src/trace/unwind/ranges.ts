/** Finds which of many ranges an address lies in: tables are sorted, and searched by halving. */
import { itemAt } from '../../base/list.ts';

export interface Range {
  start: number;
  size: number;
}

/** Ranges can lie inside others: how many that begin later and end sooner are skipped at most. */
const MOST_NESTED = 64;

/** Of ranges sorted by their beginnings, the last one that contains the address. */
export function rangeAt<T extends Range>(ranges: readonly T[], address: number): T | undefined {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (itemAt(ranges, middle).start <= address) low = middle + 1;
    else high = middle;
  }
  for (let at = low - 1; at >= 0 && at >= low - MOST_NESTED; at--) {
    const found = ranges[at]!;
    if (address - found.start < found.size) return found;
  }
  return undefined;
}

export function sorted<T extends Range>(ranges: T[]): T[] {
  return ranges.sort((a, b) => a.start - b.start);
}
