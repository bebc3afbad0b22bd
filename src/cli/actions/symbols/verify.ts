/** reenact symbols verify: lets a symbol file in only with an accepted attestation of exactly its bytes. */
import { evidenceReport } from '../../../report/evidence.ts';
import type { Arguments } from '../../arguments.ts';
import { withReenact } from '../../shared/door.ts';
import { evidenceExit } from '../../shared/evidence-exit.ts';
import { onePositional } from '../../shared/positionals.ts';
import { wantsColour } from '../../shared/terminal.ts';

export async function verifySymbols(a: Arguments): Promise<number> {
  const file = onePositional(a, 'symbol file');
  const { sha256, record } = await withReenact({}, (reenact) =>
    reenact.verifySymbols(file, { evidence: a.list('evidence'), policy: a.text('policy') }),
  );
  if (a.json) a.json.one(record);
  else process.stdout.write(`${file} (${sha256})\n${evidenceReport(record, { colour: wantsColour() })}`);
  return evidenceExit(record);
}
