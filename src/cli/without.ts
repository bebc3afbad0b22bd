/** --without: a host that lacks something of full determinism, played on one that has it. */
import { Fault } from '../base/fault.ts';
import { type Mechanism, WITHOUT_NAMES, withoutOf } from '../sandbox/mechanisms.ts';
import type { Arguments } from './options.ts';

/** The mechanisms to do without; --allow-degraded beside it is accepted and means nothing any more. */
export function withoutFrom(a: Arguments): Mechanism[] {
  return a.list('without').flatMap((word) => {
    const named = withoutOf(word);
    if (!named) throw new Fault('usage', `--without is one of ${WITHOUT_NAMES.join(', ')}, not "${word}"`);
    return named;
  });
}
