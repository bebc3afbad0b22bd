/** The first event at which two replays part (run --explain). */
import { array, closed, described, integer, nullable, pair, type Shape } from '../base/shape.ts';
import { type Event, type EventLog, eventShape } from '../sandbox/event-log.ts';

/** Events named before the one at which they part. */
const BEFORE = 3;

export interface Desync {
  /** The replay whose state was expected, and one with another; both were run again for this. */
  replays: [number, number];
  /** How often the second was run until it parted from the first again; null: it never did. */
  tries: number | null;
  /** Events alike in both, counted from the start; at most as many as a log holds. */
  alike: number;
  /** The last events that are alike. */
  before: Event[];
  /** null where that log has no more events: all were alike, or one ended sooner. */
  expected: Event | null;
  actual: Event | null;
}

const count = integer(0, Number.MAX_SAFE_INTEGER);
export const desyncShape: Shape<Desync> = closed(
  described(
    {
      replays: 'The replay whose state was expected and the one that differed; both were run again for this',
      tries: 'Runs it took of the second until it parted from the first again; null: it never did',
      alike: 'Events alike in both, counted from the start; at most as many as a log holds',
      before: 'The last events that are alike',
      expected: 'The next event of the first; null where its log has no more events',
      actual: 'The next event of the second; null where its log has no more events',
    },
    {
      replays: pair(count),
      tries: nullable(count),
      alike: count,
      before: array(eventShape, { max: BEFORE }),
      expected: nullable(eventShape),
      actual: nullable(eventShape),
    },
  ),
);

/** Compares two logs event by event. */
export function comparedLogs(expected: EventLog, actual: EventLog): Omit<Desync, 'replays' | 'tries'> {
  const shorter = Math.min(expected.length, actual.length);
  let alike = 0;
  while (alike < shorter && expected.raw(alike).equals(actual.raw(alike))) alike++;
  const from = Math.max(0, alike - BEFORE);
  return {
    alike,
    before: Array.from({ length: alike - from }, (_, i) => expected.at(from + i)),
    expected: alike < expected.length ? expected.at(alike) : null,
    actual: alike < actual.length ? actual.at(alike) : null,
  };
}
