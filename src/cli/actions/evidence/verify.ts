/** reenact evidence verify: says whether evidence is acceptable under a policy, and of what it is evidence. */
import { evidenceReport } from '../../../report/evidence.ts';
import type { Arguments } from '../../arguments.ts';
import { withReenact } from '../../shared/door.ts';
import { evidenceExit } from '../../shared/evidence-exit.ts';
import { wantsColour } from '../../shared/terminal.ts';

export async function verifyEvidenceCommand(a: Arguments): Promise<number> {
  const options = {
    policy: a.text('policy'),
    subjects: a.list('subject'),
    artifact: a.text('artifact'),
    manifest: a.text('manifest'),
    reference: a.text('reference'),
  };
  const record = await withReenact({}, (reenact) => reenact.verifyEvidence(a.positionals, options));
  if (a.json) a.json.one(record);
  else process.stdout.write(evidenceReport(record, { colour: wantsColour() }));
  return evidenceExit(record);
}
