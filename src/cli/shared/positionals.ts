/** What stands behind a command without an option's name. */
import { Fault } from '../../base/fault.ts';
import { notOneOf } from '../../base/nearest.ts';
import type { Arguments } from '../arguments.ts';

/** The one thing that the command is about, such as "bundle"; none, or more than one, is a mistake in the call. */
export function onePositional({ positionals }: Arguments, what: string): string {
  const [given, ...more] = positionals;
  if (given === undefined || more.length > 0) throw new Fault('usage', `name one ${what}`);
  return given;
}

/** The one word of a closed list that a command takes, such as a "format". */
export function oneWord<T extends string>({ positionals }: Arguments, what: string, words: readonly T[]): T {
  const [given, ...more] = positionals;
  const word = words.find((one) => one === given);
  if (word === undefined || more.length > 0)
    throw new Fault(
      'usage',
      `name ${more.length > 0 ? 'one' : 'a'} ${what}: ${given === undefined || word ? words.join(', ') : notOneOf(given, words)}`,
    );
  return word;
}
