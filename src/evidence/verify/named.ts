/** The evidence that a manifest names, verified by one rule: before a replay, and again from a bundle. */
import type { Digest } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import type { Manifest } from '../../manifest/definition.ts';
import { Refusal } from '../common/refusal.ts';
import type { EvidenceRecord } from '../documents/record.ts';
import { type LogReference, parseEnvelopeReference, parseLogReference } from '../documents/reference.ts';
import { wantManifest } from '../documents/subject.ts';
import { formatTlogProof } from '../log/tlog-proof.ts';
import type { Trust } from '../trust/trust.ts';
import { asRefusal } from './checks.ts';
import type { SeparateProof } from './context.ts';
import { refusedRecord, type SourceFile, verifyEvidence } from './verify.ts';

/** Where what a manifest names is looked for: folders during a run, the contents of a bundle afterwards. */
export interface EvidencePlaces {
  /** The file with these exact bytes; throws a Refusal where it is nowhere. */
  envelope(digest: Digest): Promise<SourceFile>;
  /** Every proof of the entry that is at hand; throws a Refusal where one cannot be read. */
  proofs(reference: LogReference): Promise<SeparateProof[]>;
  /** Every digest the image is known by, from documents that were hashed. */
  imageChain(): Promise<Digest[]>;
}

/** The result, and the bytes that it rests on. */
export interface NamedEvidence {
  record: EvidenceRecord;
  kept: (Buffer | string)[];
}

/**
 * Verifies a manifest's evidence. The image's chain is asked for only when evidence about the image does not name the
 * manifest's own digest. An error in the evidence goes into the record; a Fault of a place is thrown.
 */
export async function verifyNamed(
  manifest: Manifest,
  places: EvidencePlaces,
  trust: Trust,
  nowMs: number,
): Promise<NamedEvidence> {
  const kept: NamedEvidence['kept'] = [];
  try {
    if (!manifest.dsse_envelope)
      throw new Refusal(
        'evidence_missing',
        'the manifest names no dsse_envelope',
        undefined,
        'sign it, which names it there: reenact sign MANIFEST --key K; or put dsse:sha256:… of its bundle there',
      );
    const file = await places.envelope(parseEnvelopeReference(manifest.dsse_envelope));
    kept.push(file.bytes);
    const reference = manifest.rekor_tile_ref ? parseLogReference(manifest.rekor_tile_ref) : undefined;
    const proofs = reference ? await places.proofs(reference) : [];
    kept.push(...proofs.map(({ proof }) => formatTlogProof(proof)));
    const verify = (image: Digest[]): Promise<EvidenceRecord> =>
      verifyEvidence([file], {
        trust,
        wanted: wantManifest(manifest, image),
        proofs: proofs.map((one) => ({ ...one })),
        ...(reference ? { reference } : {}),
        nowMs,
      });
    const image = manifest.sandbox_image_sha256;
    const record = await verify([image]);
    const wantsImage = trust.policy.require.some(({ subjects }) =>
      subjects?.includes('sandbox_image_sha256'),
    );
    if (record.code !== 'subject_missing' || !wantsImage) return { record, kept };
    return { record: await verify([image, ...(await places.imageChain())]), kept };
  } catch (error) {
    if (error instanceof Fault) throw error;
    return { record: refusedRecord(asRefusal(error), trust, nowMs), kept };
  }
}
