/** The gate before a replay: the manifest's claims are proven, and the proof is on disk, before anything starts. */
import { join } from 'node:path';

import { canonicalJson } from '../base/canonical-json.ts';
import type { Clock } from '../base/clock.ts';
import type { Digest } from '../base/digest.ts';
import { asFault } from '../base/fault.ts';
import { CustodyLog, type CustodyPlace } from '../evidence/custody/custody.ts';
import type { EvidenceRecord } from '../evidence/documents/record.ts';
import type { LogReference } from '../evidence/documents/reference.ts';
import type { Trust } from '../evidence/trust/trust.ts';
import { EvidenceFinder } from '../evidence/verify/find.ts';
import { type NamedEvidence, verifyNamed } from '../evidence/verify/named.ts';
import type { LoadedManifest } from '../manifest/load.ts';
import type { BlobStore } from '../store/blobs.ts';

/** What a run verifies its manifests' evidence with; made once, so that a policy is loaded once. */
export interface EvidenceVerifier {
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

/** Opens a verifier whose store and custody chain are in the run's output folder. */
export function openVerifier(
  trust: Trust,
  stores: string[],
  out: string,
  store: BlobStore,
  clock: Clock,
): EvidenceVerifier {
  const custody = new CustodyLog(join(out, 'custody'));
  return { trust, finder: new EvidenceFinder([...stores, out]), custody, store, clock };
}

/** Verifies a manifest's evidence, found beside it and in the stores; nothing is written. */
export function checkEvidence(
  { trust, finder, clock }: Pick<EvidenceVerifier, 'trust' | 'finder' | 'clock'>,
  { manifest, folder, path }: LoadedManifest,
  imageChain: () => Promise<Digest[]>,
): Promise<NamedEvidence> {
  const places = {
    envelope: (digest: Digest) => finder.envelope(folder, path, digest),
    proofs: (reference: LogReference) => finder.proofs(folder, reference),
    imageChain,
  };
  return verifyNamed(manifest, places, trust, clock.now());
}

/** Verifies and keeps: evidence, record and custody entry are on disk when this returns, or a Fault is thrown. */
export async function checkManifestEvidence(
  verifier: EvidenceVerifier,
  loaded: LoadedManifest,
  imageChain: () => Promise<Digest[]>,
): Promise<KeptEvidence> {
  // The record of one manifest must not list roots that another's evidence asked for.
  const trust = verifier.trust.forOne();
  const { record, kept } = await checkEvidence({ ...verifier, trust }, loaded, imageChain);
  try {
    const files: Digest[] = [];
    for (const bytes of kept) files.push(await verifier.store.put(bytes, true));
    for (const { bytes } of trust.usedRoots) await verifier.store.put(bytes, true);
    const record_sha256 = await verifier.store.put(canonicalJson(record), true);
    return { record, record_sha256, files, custody: await verifier.custody.append(record, record_sha256) };
  } catch (error) {
    throw asFault(
      'evidence_store_failed',
      `the evidence could not be kept in ${verifier.store.folder}, so nothing was started`,
      error,
    );
  }
}
