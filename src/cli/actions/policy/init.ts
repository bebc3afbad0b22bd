/** reenact policy init: a first policy, that accepts exactly who signed an example; nothing is written of what was not verified. */
import { EXIT, Fault } from '../../../base/fault.ts';
import { writeOutput } from '../../../base/output.ts';
import { safe } from '../../../report/human.ts';
import type { Arguments } from '../../arguments.ts';
import { withReenact } from '../../shared/door.ts';

/** Writes the policy; one of an example that is not verified only where --unverified asks for it, and marked in its text. */
export async function initPolicy(a: Arguments): Promise<number> {
  const [example, ...others] = a.positionals;
  if (others.length > 0) throw new Fault('usage', 'name one example bundle, or a public key with --key');
  const options = {
    key: a.text('key'),
    algorithm: a.text('alg'),
    artifact: a.text('artifact'),
    trustRoot: a.text('trust-root'),
    out: a.text('out'),
  };
  const draft = await withReenact({}, (reenact) => reenact.draftPolicy(example, options));
  const { refused } = draft;
  const say = (text: string): boolean => process.stderr.write(safe(`${text}\n`));
  if (refused && !a.flag('unverified')) {
    say(`${draft.said}, it says; NOT verified (${refused.code}: ${refused.message})`);
    say('That name may be forged. Nothing was written.');
    const next =
      refused.code === 'artifact_mismatch' && a.text('artifact') === undefined
        ? 'name the file that it signs: reenact policy init BUNDLE --artifact FILE'
        : refused.next;
    say(`  next: ${next}`);
    return EXIT.rejected;
  }
  const text = refused ? `# NOT VERIFIED (${refused.code}): these names may be forged.\n` : '';
  if (refused) say(`${draft.said}, it says, and that was NOT verified (${refused.code}: ${refused.message})`);
  else say(`${draft.said}; a policy that accepts exactly that:`);
  if (!refused && a.positionals.length > 0) say('The bundle was verified: that is who signed it.');
  const out = a.text('out') ?? '-';
  await writeOutput(out, text + draft.text, a.flag('force') ? 'any' : 'nothing');
  if (out !== '-') say(`written to ${out}`);
  return EXIT.ok;
}
