/** A host that lacks something of full determinism (`--without`), played on one that has it. */
import { Fault } from '../base/fault.ts';
import { notOneOf } from '../base/nearest.ts';
import { type Mechanism, WITHOUT_NAMES, withoutOf } from '../sandbox/mechanisms.ts';

/** The mechanisms behind these words, and behind those of REENACT_WITHOUT, which whole test suites are run with. */
export function withoutNamed(
  words: readonly string[] = [],
  env: NodeJS.ProcessEnv = process.env,
): Mechanism[] {
  const all = [...words, ...(env.REENACT_WITHOUT ?? '').split(',').filter(Boolean)];
  const named = all.flatMap((word) => {
    const found = withoutOf(word);
    if (!found) throw new Fault('usage', `--without is ${notOneOf(word, WITHOUT_NAMES)}`);
    return found;
  });
  return [...new Set(named)];
}
