/** Final states that are inside a bundle, in their strict form. */
import type { Digest } from '../../base/digest.ts';
import { showProblem } from '../../base/json.ts';
import type { FinalState } from '../../state/final-state.ts';
import { parseState } from '../../state/parse.ts';
import { Refused } from '../format/refused.ts';
import { type Opened, unveil } from './open.ts';

/** A state in the bundle, checked; undefined where it is not there, or is too large to read. */
export function stateOf(opened: Opened, sha256: Digest | null): FinalState | undefined {
  const bytes = sha256 ? opened.kept.get(sha256) : undefined;
  if (!bytes) return undefined;
  const parsed = parseState(unveil(bytes, opened.subject !== undefined));
  if (parsed.ok) return parsed.value;
  throw new Refused(
    'manifest_form',
    `the state ${sha256}: ${parsed.problems.slice(0, 5).map(showProblem).join('; ')}`,
  );
}
