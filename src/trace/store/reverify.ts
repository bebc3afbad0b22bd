/** Checks the evidence of a join again, offline, from the bytes that were kept: what was accepted once may not be under this policy, or no longer. */
import type { Digest } from '../../base/digest.ts';
import type { EvidenceRecord } from '../../evidence/record.ts';
import type { Trust } from '../../evidence/trust.ts';
import type { SourceFile } from '../../evidence/verify.ts';
import { gapOf, type JoinEvidence, type JoinedFrame } from '../gap.ts';
import { type About, verifyAbout } from './evidence.ts';
import type { TraceStore } from './store.ts';

interface Row {
  evidence: number;
  subject_sha256: Digest;
  about: About;
  files: Digest[];
}

function judged(before: JoinEvidence, record: EvidenceRecord): JoinEvidence {
  const verified = record.verdict === 'verified';
  const accepted = record.envelopes.filter(({ verdict }) => verdict === 'accepted');
  return {
    ...before,
    verified,
    error: verified ? null : `${record.code}: ${record.message}`,
    signers: verified
      ? accepted.flatMap(({ signers }) => signers.map(({ identity, authority }) => identity ?? authority))
      : [],
    signed_at: accepted.flatMap(({ timestamps }) => timestamps)[0]?.time ?? null,
    tile_ref: accepted.flatMap(({ log }) => log).find(({ tile_ref }) => tile_ref !== null)?.tile_ref ?? null,
  };
}

/** The files as they were kept; bytes that are gone or changed are a refusal, not a success. */
async function filesOf({ blobs }: TraceStore, digests: Digest[]): Promise<SourceFile[] | null> {
  const files: SourceFile[] = [];
  for (const digest of digests) {
    const bytes = await blobs.get(digest).catch(() => undefined);
    if (!bytes) return null;
    files.push({ name: digest, bytes });
  }
  return files;
}

/** The same frames, their evidence judged by this policy at this time, and their gaps anew. */
export async function reverify(
  store: TraceStore,
  frames: JoinedFrame[],
  trust: Trust,
  nowMs: number,
): Promise<JoinedFrame[]> {
  const held = frames.flatMap(({ bundle, artifact }) => [bundle?.evidence, artifact?.evidence]);
  const before = new Map(held.flatMap((one) => (one ? [[one.evidence, one] as const] : [])));
  const rows = await store.database.query<Row>(
    'SELECT evidence, subject_sha256, about, files FROM evidence WHERE evidence = ANY ($1::int[])',
    [[...before.keys()]],
  );
  const now = new Map<number, JoinEvidence>();
  for (const { evidence, subject_sha256, about, files } of rows) {
    const one = before.get(evidence)!;
    const kept = await filesOf(store, files);
    now.set(
      evidence,
      kept
        ? judged(one, await verifyAbout(subject_sha256, about, kept, trust, nowMs))
        : {
            ...one,
            verified: false,
            signers: [],
            error: 'evidence_missing: the store no longer has its bytes',
          },
    );
  }
  const renew = <T extends { evidence: JoinEvidence | null }>(thing: T | null): T | null =>
    thing?.evidence ? { ...thing, evidence: now.get(thing.evidence.evidence) ?? thing.evidence } : thing;
  return frames.map(({ gap: _, ...frame }) => {
    const renewed = { ...frame, bundle: renew(frame.bundle), artifact: renew(frame.artifact) };
    return { ...renewed, gap: gapOf(renewed) };
  });
}
