/** The gate before a replay: what the manifest claims is proven, and the proof is on disk, before anything starts. */
import { join } from 'node:path';

import { canonicalJson } from '../base/canonical-json.ts';
import type { Clock } from '../base/clock.ts';
import type { Digest } from '../base/digest.ts';
import { asFault, Fault } from '../base/fault.ts';
import { Refusal } from '../evidence/common/refusal.ts';
import { CustodyLog, type CustodyPlace } from '../evidence/custody/custody.ts';
import type { EvidenceRecord } from '../evidence/documents/record.ts';
import { parseEnvelopeReference, parseLogReference } from '../evidence/documents/reference.ts';
import { wantManifest } from '../evidence/documents/subject.ts';
import { formatTlogProof } from '../evidence/log/tlog-proof.ts';
import type { Trust } from '../evidence/trust/trust.ts';
import { asRefusal } from '../evidence/verify/checks.ts';
import type { Circumstances } from '../evidence/verify/circumstances.ts';
import { EvidenceFinder } from '../evidence/verify/find.ts';
import { refusedRecord, type SourceFile, verifyEvidence } from '../evidence/verify/verify.ts';
import type { LoadedManifest } from '../manifest/load.ts';
import type { BlobStore } from '../store/blobs.ts';

/** What a run verifies its manifests' evidence with; made once, so that a policy is loaded once. */
export interface EvidenceDesk {
  trust: Trust;
  finder: EvidenceFinder;
  custody: CustodyLog;
  store: BlobStore;
  clock: Clock;
}

/** The outcome, and where it is kept. */
export interface KeptEvidence {
  record: EvidenceRecord;
  record_sha256: Digest;
  /** The envelope and the proofs that were used, kept as blobs. */
  files: Digest[];
  custody: CustodyPlace;
}

/** Opens a desk whose store and custody chain are in the run's output folder. */
export function openDesk(
  trust: Trust,
  stores: string[],
  out: string,
  store: BlobStore,
  clock: Clock,
): EvidenceDesk {
  const custody = new CustodyLog(join(out, 'custody'));
  return { trust, finder: new EvidenceFinder([...stores, out]), custody, store, clock };
}

/** Verifies one envelope about a manifest whose image is known by these digests. */
function verify(
  desk: EvidenceDesk,
  { manifest }: LoadedManifest,
  file: SourceFile,
  image: Digest[],
  log: Pick<Circumstances, 'reference' | 'proofs'>,
): Promise<EvidenceRecord> {
  return verifyEvidence([file], {
    trust: desk.trust,
    wanted: wantManifest(manifest, image),
    ...log,
    nowMs: desk.clock.now(),
  });
}

/**
 * Verifies a manifest's evidence. `imageChain` gives every digest the image is known by, from documents that were
 * hashed; it is asked only when evidence about the image does not name the manifest's own digest.
 */
async function decide(
  desk: EvidenceDesk,
  loaded: LoadedManifest,
  imageChain: () => Promise<Digest[]>,
): Promise<{ record: EvidenceRecord; kept: (Buffer | string)[] }> {
  const { manifest, folder, path } = loaded;
  const kept: (Buffer | string)[] = [];
  try {
    if (!manifest.dsse_envelope)
      throw new Refusal(
        'evidence_missing',
        'the manifest names no dsse_envelope',
        undefined,
        'sign it, which names it there: reenact sign MANIFEST --key K; or put dsse:sha256:… of its bundle there',
      );
    const file = await desk.finder.envelope(folder, path, parseEnvelopeReference(manifest.dsse_envelope));
    kept.push(file.bytes);
    const reference = manifest.rekor_tile_ref ? parseLogReference(manifest.rekor_tile_ref) : undefined;
    const proofs = reference ? await desk.finder.proofs(folder, reference) : [];
    kept.push(...proofs.map(({ proof }) => formatTlogProof(proof)));
    const log = { proofs, ...(reference ? { reference } : {}) };
    const image = manifest.sandbox_image_sha256;
    const record = await verify(desk, loaded, file, [image], log);
    const wantsImage = desk.trust.policy.require.some(({ subjects }) =>
      subjects?.includes('sandbox_image_sha256'),
    );
    if (record.code !== 'subject_missing' || !wantsImage) return { record, kept };
    return { record: await verify(desk, loaded, file, [image, ...(await imageChain())], log), kept };
  } catch (error) {
    if (error instanceof Fault) throw error;
    return { record: refusedRecord(asRefusal(error), desk.trust, desk.clock.now()), kept };
  }
}

/** Verifies and keeps: evidence, record and custody entry are on disk when this returns, or a Fault is thrown. */
export async function checkManifestEvidence(
  desk: EvidenceDesk,
  loaded: LoadedManifest,
  imageChain: () => Promise<Digest[]>,
): Promise<KeptEvidence> {
  const { record, kept } = await decide(desk, loaded, imageChain);
  try {
    const files: Digest[] = [];
    for (const bytes of kept) files.push(await desk.store.put(bytes, true));
    for (const { bytes } of desk.trust.usedRoots) await desk.store.put(bytes, true);
    const record_sha256 = await desk.store.put(canonicalJson(record), true);
    return { record, record_sha256, files, custody: await desk.custody.append(record, record_sha256) };
  } catch (error) {
    throw asFault(
      'evidence_store_failed',
      `the evidence could not be kept in ${desk.store.folder}, so nothing was started`,
      error,
    );
  }
}
