/** What stands behind a command without an option's name. */
import { Fault } from '../../base/fault.ts';
import type { Arguments } from '../arguments.ts';

/** The one thing that the command is about, such as "bundle"; none, or more than one, is a mistake in the call. */
export function onePositional({ positionals }: Arguments, what: string): string {
  const [given, ...more] = positionals;
  if (given === undefined || more.length > 0) throw new Fault('usage', `name one ${what}`);
  return given;
}
