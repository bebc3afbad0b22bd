/** reenact evidence verify: says whether evidence is acceptable under a policy, and of what it is evidence. */
import { stat } from 'node:fs/promises';
import { systemClock } from '../../../base/clock.ts';
import { digestOf } from '../../../base/digest.ts';
import { asFault, Fault } from '../../../base/fault.ts';
import { EVIDENCE_LIMITS } from '../../../base/limits.ts';
import { Refusal } from '../../../evidence/common/refusal.ts';
import type { EvidenceRecord } from '../../../evidence/documents/record.ts';
import {
  type LogReference,
  parseEnvelopeReference,
  parseLogReference,
} from '../../../evidence/documents/reference.ts';
import {
  parseWantedSubject,
  type Wanted,
  type WantedSubject,
  wantFile,
  wantManifest,
} from '../../../evidence/documents/subject.ts';
import { readFolderProof } from '../../../evidence/log/cache.ts';
import { Trust } from '../../../evidence/trust/trust.ts';
import type { SeparateProof } from '../../../evidence/verify/circumstances.ts';
import { EvidenceFinder } from '../../../evidence/verify/find.ts';
import { refusedRecord, type SourceFile, verifyEvidence } from '../../../evidence/verify/verify.ts';
import { readNamed } from '../../../library/read-named.ts';
import { loadManifests } from '../../../manifest/load.ts';
import { evidenceReport } from '../../../report/evidence.ts';
import type { Arguments } from '../../arguments.ts';
import { evidenceExit } from '../../shared/evidence-exit.ts';
import { signersPolicy } from '../../shared/evidence-files.ts';
import { evidenceFolder } from '../../shared/evidence-folder.ts';
import { wantsColour } from '../../shared/terminal.ts';

/** A reference the person gave or the manifest names; a malformed one is a mistake in the call. */
function referenceOf(text: string | undefined): LogReference | undefined {
  if (text === undefined) return undefined;
  try {
    return parseLogReference(text);
  } catch (error) {
    if (error instanceof Refusal) throw new Fault('usage', error.message, error, error.next);
    throw error;
  }
}

/** The envelope that a manifest names, and where the manifest is. */
interface NamedEnvelope {
  folder: string;
  path: string;
  reference: string;
}

/** The file that the manifest names, which is looked for beside it where it was not given. */
async function withNamed(files: SourceFile[], named: NamedEnvelope | undefined): Promise<SourceFile[]> {
  if (!named) return files;
  const digest = parseEnvelopeReference(named.reference);
  if (files.some(({ bytes }) => digestOf(bytes) === digest)) return files;
  const found = await new EvidenceFinder([evidenceFolder()]).envelope(named.folder, named.path, digest);
  return [...files, found];
}

async function wantedOf(
  a: Arguments,
  artifact: Buffer | undefined,
): Promise<{ wanted: Wanted; reference?: string; named?: NamedEnvelope }> {
  const listed: WantedSubject[] = a.list('subject').flatMap((text) => {
    if (text === 'any') return [];
    const wanted = parseWantedSubject(text);
    if (!wanted)
      throw new Fault('usage', `--subject wants sha256:…, sha384:…, sha512:… or any, not "${text}"`);
    return [wanted];
  });
  if (artifact) listed.push(wantFile('artifact', artifact));
  const manifestPath = a.text('manifest');
  if (manifestPath === undefined) {
    if (listed.length > 0) return { wanted: { kind: 'listed', subjects: listed } };
    if (a.list('subject').includes('any')) return { wanted: { kind: 'any' } };
    throw new Fault(
      'usage',
      'say what it should be evidence about: --subject DIGEST, --artifact FILE or --manifest M (--subject any compares nothing)',
    );
  }
  if (listed.length > 0)
    throw new Fault('usage', '--manifest names its own subjects: leave --subject and --artifact out');
  const loaded = await loadManifests([manifestPath]);
  if (loaded.length !== 1)
    throw new Fault('usage', `--manifest names ${loaded.length} manifests: verify them one by one`);
  const { manifest, folder, path } = loaded[0]!;
  return {
    wanted: wantManifest(manifest),
    ...(manifest.rekor_tile_ref ? { reference: manifest.rekor_tile_ref } : {}),
    ...(manifest.dsse_envelope ? { named: { folder, path, reference: manifest.dsse_envelope } } : {}),
  };
}

/** Sorts what was named into files of evidence and folders of a log. */
async function readAll(
  paths: string[],
  reference: LogReference | undefined,
): Promise<{ files: SourceFile[]; proofs: SeparateProof[] }> {
  const files: SourceFile[] = [];
  const proofs: SeparateProof[] = [];
  for (const path of paths) {
    const info = await stat(path).catch((error: unknown) => {
      throw asFault('usage', `${path} cannot be read`, error);
    });
    if (!info.isDirectory()) {
      files.push({ name: path, bytes: await readNamed(path, EVIDENCE_LIMITS.fileBytes) });
      continue;
    }
    if (!reference)
      throw new Fault(
        'usage',
        `${path} is a log’s folder: name the entry with --reference rekor:… or --manifest`,
      );
    proofs.push({ name: path, proof: await readFolderProof(path, reference), used: false });
  }
  return { files, proofs };
}

export async function verifyEvidenceCommand(a: Arguments): Promise<number> {
  if (a.positionals.length === 0 && a.text('manifest') === undefined)
    throw new Fault('usage', 'name at least one file of evidence, or a manifest that names it: --manifest M');
  const policy = await signersPolicy(a);
  const artifactPath = a.text('artifact');
  const artifact =
    artifactPath === undefined ? undefined : await readNamed(artifactPath, EVIDENCE_LIMITS.artifactBytes);
  const { wanted, reference: told, named } = await wantedOf(a, artifact);
  const given = a.text('reference');
  if (given !== undefined && told !== undefined && given !== told)
    throw new Fault('usage', `--reference is not the entry that the manifest names, ${told}`);
  const reference = referenceOf(given ?? told);
  const trust = new Trust(policy);
  const nowMs = systemClock.now();
  let record: EvidenceRecord;
  try {
    const { files, proofs } = await readAll(a.positionals, reference);
    const more = { trust, wanted, proofs, nowMs, ...(artifact ? { artifact } : {}) };
    record = await verifyEvidence(await withNamed(files, named), {
      ...more,
      ...(reference ? { reference } : {}),
    });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    record = refusedRecord(error, trust, nowMs);
  }
  if (a.flag('json')) process.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
  else process.stdout.write(evidenceReport(record, { colour: wantsColour() }));
  return evidenceExit(record);
}
