/** Says whether evidence is acceptable under a policy, and of what it is evidence. */

import { stat } from 'node:fs/promises';
import { evidenceFolder } from '../base/cache-folder.ts';
import { systemClock } from '../base/clock.ts';
import { digestOf } from '../base/digest.ts';
import { asFault, Fault } from '../base/fault.ts';
import { EVIDENCE_LIMITS } from '../base/limits.ts';
import { itemAt } from '../base/list.ts';
import { Refusal } from '../evidence/common/refusal.ts';
import type { EvidenceRecord } from '../evidence/documents/record.ts';
import {
  type LogReference,
  parseEnvelopeReference,
  parseLogReference,
} from '../evidence/documents/reference.ts';
import {
  parseWantedSubject,
  type Wanted,
  type WantedSubject,
  wantFile,
  wantManifest,
} from '../evidence/documents/subject.ts';
import { readFolderProof } from '../evidence/log/cache.ts';
import { Trust } from '../evidence/trust/trust.ts';
import type { SeparateProof } from '../evidence/verify/context.ts';
import { EvidenceFinder } from '../evidence/verify/find.ts';
import { refusedRecord, type SourceFile, verifyEvidence as verifyFiles } from '../evidence/verify/verify.ts';
import { loadManifests } from '../manifest/load.ts';
import { readNamed } from './read-named.ts';
import type { PolicyInput, Session } from './session.ts';
import { signersPolicy } from './signers.ts';

/** What evidence should be about: a digest (`sha256:…`, `sha384:…`, `sha512:…`), or `any`, which compares nothing. */
export interface VerifyEvidenceOptions {
  /** It must name who may sign. Default: the one that the library was opened with. */
  policy?: PolicyInput | undefined;
  subjects?: readonly string[] | undefined;
  /** A file that the evidence should be about; some signatures need its bytes. */
  artifact?: string | undefined;
  /** A manifest that the evidence should be about; the envelope that it names is found beside it. */
  manifest?: string | undefined;
  /** The log entry, as `rekor:…`, that must prove it. */
  reference?: string | undefined;
}

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
  const found = await new EvidenceFinder([evidenceFolder(process.env)]).envelope(
    named.folder,
    named.path,
    digest,
  );
  return [...files, found];
}

interface About {
  wanted: Wanted;
  reference?: string;
  named?: NamedEnvelope;
}

function listedSubjects(subjects: readonly string[], artifact: Buffer | undefined): WantedSubject[] {
  const listed = subjects.flatMap((text): WantedSubject[] => {
    if (text === 'any') return [];
    const wanted = parseWantedSubject(text);
    if (!wanted)
      throw new Fault('usage', `--subject wants sha256:…, sha384:…, sha512:… or any, not "${text}"`);
    return [wanted];
  });
  return artifact ? [...listed, wantFile('artifact', artifact)] : listed;
}

async function aboutWhat(o: VerifyEvidenceOptions, artifact: Buffer | undefined): Promise<About> {
  const { subjects = [], manifest: manifestPath } = o;
  const listed = listedSubjects(subjects, artifact);
  if (manifestPath === undefined) {
    if (listed.length > 0) return { wanted: { kind: 'listed', subjects: listed } };
    if (subjects.includes('any')) return { wanted: { kind: 'any' } };
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
  const { manifest, folder, path } = itemAt(loaded, 0);
  return {
    wanted: wantManifest(manifest),
    ...(manifest.rekor_tile_ref ? { reference: manifest.rekor_tile_ref } : {}),
    ...(manifest.dsse_envelope ? { named: { folder, path, reference: manifest.dsse_envelope } } : {}),
  };
}

/** Sorts what was named into files of evidence and folders of a log. */
async function readAll(
  paths: readonly string[],
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
    proofs.push({ name: path, proof: await readFolderProof(path, reference) });
  }
  return { files, proofs };
}

/** Verifies files of evidence, and folders of a log, offline; a refusal is in the record, with its code. */
export async function verifyEvidence(
  session: Session,
  paths: string | readonly string[],
  o: VerifyEvidenceOptions = {},
): Promise<EvidenceRecord> {
  const files = typeof paths === 'string' ? [paths] : paths;
  if (files.length === 0 && o.manifest === undefined)
    throw new Fault('usage', 'name at least one file of evidence, or a manifest that names it: --manifest M');
  const policy = await signersPolicy(session, o.policy);
  const artifact =
    o.artifact === undefined ? undefined : await readNamed(o.artifact, EVIDENCE_LIMITS.artifactBytes);
  const { wanted, reference: told, named } = await aboutWhat(o, artifact);
  if (o.reference !== undefined && told !== undefined && o.reference !== told)
    throw new Fault('usage', `--reference is not the entry that the manifest names, ${told}`);
  const reference = referenceOf(o.reference ?? told);
  const trust = new Trust(policy);
  const nowMs = systemClock.now();
  try {
    const read = await readAll(files, reference);
    const more = { trust, wanted, proofs: read.proofs, nowMs, ...(artifact ? { artifact } : {}) };
    return await verifyFiles(await withNamed(read.files, named), {
      ...more,
      ...(reference ? { reference } : {}),
    });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return refusedRecord(error, trust, nowMs);
  }
}
