/** reenact symbols verify: lets a symbol bundle in only with an accepted attestation of exactly its bytes. */
import { basename, dirname, join } from 'node:path';
import { systemClock } from '../../../base/clock.ts';
import { digestOf } from '../../../base/digest.ts';
import { EVIDENCE_LIMITS } from '../../../base/limits.ts';
import { readEvidenceBytes } from '../../../evidence/common/read.ts';
import { Refusal } from '../../../evidence/common/refusal.ts';
import { wantFile } from '../../../evidence/documents/subject.ts';
import { loadTrust } from '../../../evidence/trust/trust.ts';
import { refusedRecord, type SourceFile, verifyEvidence } from '../../../evidence/verify/verify.ts';
import { readNamed } from '../../../library/read-named.ts';
import { evidenceReport } from '../../../report/evidence.ts';
import type { Arguments } from '../../arguments.ts';
import { evidenceExit } from '../../shared/evidence-exit.ts';
import { signersPolicy } from '../../shared/evidence-files.ts';
import { onePositional } from '../../shared/positionals.ts';
import { wantsColour } from '../../shared/terminal.ts';

const BESIDE = ['.dsse.json', '.sigstore.json', '.intoto.jsonl', '.sigstore'];

/** The attestations a person names, else those beside the file by their usual names. */
async function attestationsOf(file: string, named: string[]): Promise<SourceFile[]> {
  if (named.length > 0)
    return Promise.all(
      named.map(async (name) => ({ name, bytes: await readNamed(name, EVIDENCE_LIMITS.fileBytes) })),
    );
  const stems = new Set([basename(file), basename(file, '.json')]);
  const names = [...stems].flatMap((stem) => BESIDE.map((ending) => join(dirname(file), `${stem}${ending}`)));
  const found = await Promise.all(
    names.map(async (name) => {
      const bytes = await readEvidenceBytes(name);
      return bytes ? [{ name, bytes }] : [];
    }),
  );
  return found.flat();
}

export async function verifySymbols(a: Arguments): Promise<number> {
  const file = onePositional(a, 'symbol file');
  const policy = await signersPolicy(a);
  // Read once: a bundle may be a signature over the file itself.
  const artifact = await readNamed(file, EVIDENCE_LIMITS.artifactBytes);
  const sha256 = digestOf(artifact);
  const files = await attestationsOf(file, a.list('evidence'));
  const trust = loadTrust(policy);
  const nowMs = systemClock.now();
  const record =
    files.length === 0
      ? refusedRecord(
          new Refusal(
            'evidence_missing',
            `no attestation of ${file} was found beside it; name it with --evidence`,
          ),
          trust,
          nowMs,
        )
      : await verifyEvidence(files, {
          trust,
          wanted: { kind: 'listed', subjects: [wantFile('symbol_bundle_sha256', artifact)] },
          artifact,
          nowMs,
        });
  if (a.flag('json')) process.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
  else process.stdout.write(`${file} (${sha256})\n${evidenceReport(record, { colour: wantsColour() })}`);
  return evidenceExit(record);
}
