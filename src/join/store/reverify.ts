/** Checks the evidence of a join again, offline, from the bytes that were kept: what was once accepted may be refused under this policy, or today. */
import type { Digest } from '../../base/digest.ts';
import { UNVOUCHED, vouchedBy } from '../../evidence/custody/vouched.ts';
import type { Trust } from '../../evidence/trust/trust.ts';
import type { SourceFile } from '../../evidence/verify/verify.ts';
import { MOST_EVIDENCE } from '../document.ts';
import { gapOf, type JoinEvidence, type JoinedFrame } from '../gap.ts';
import { type About, verifyAbout } from './evidence.ts';
import type { TraceStore } from './store.ts';

interface Row {
  dsse: string;
  evidence: number;
  subject_sha256: Digest;
  about: About;
  files: Digest[];
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

/** All evidence about these symbol files and artifacts, the nearest and newest first, by the digest of the thing. */
async function evidenceOf(store: TraceStore, things: string[]): Promise<Map<string, Row[]>> {
  const columns = "evidence, subject_sha256, about, files, 'dsse:' || envelope_sha256 AS dsse";
  const rows = await store.database.query<Row & { thing: string }>(
    `SELECT b.sha256 AS thing, 0 AS depth, ${columns} FROM bundle b JOIN evidence e ON e.subject_sha256 = b.file_sha256
       AND about = 'symbols' WHERE b.sha256 = ANY ($1::text[])
     UNION ALL SELECT a.sha256, depth, ${columns} FROM artifact a JOIN artifact_evidence USING (artifact)
       JOIN evidence e USING (evidence) WHERE a.sha256 = ANY ($1::text[])
     ORDER BY depth, evidence DESC`,
    [things],
  );
  return Map.groupBy(rows, ({ thing, about }) => `${about} ${thing}`);
}

/** The first evidence that is still accepted, else the first; undefined where there is none. */
async function firstThatStands(
  store: TraceStore,
  rows: Row[],
  trust: Trust,
  nowMs: number,
): Promise<JoinEvidence | undefined> {
  let first: JoinEvidence | undefined;
  for (const { evidence, dsse, subject_sha256, about, files } of rows.slice(0, MOST_EVIDENCE)) {
    const kept = await filesOf(store, files);
    const record = kept && (await verifyAbout(subject_sha256, about, kept, trust, nowMs));
    const verified = record?.verdict === 'verified';
    const error = record
      ? `${record.code}: ${record.message}`
      : 'evidence_missing: the store no longer has its bytes';
    const vouched = record ? vouchedBy(record) : UNVOUCHED;
    const one = { evidence, dsse, verified, error: verified ? null : error, ...vouched };
    if (verified) return one;
    first ??= one;
  }
  return first;
}

/** The same frames, with their evidence judged by this policy at this time, and their gaps decided again. */
export async function reverify(
  store: TraceStore,
  frames: JoinedFrame[],
  trust: Trust,
  nowMs: number,
): Promise<JoinedFrame[]> {
  const things = frames.flatMap(({ bundle, artifact }) =>
    [bundle?.sha256 ?? [], artifact?.sha256 ?? []].flat(),
  );
  const rows = await evidenceOf(store, [...new Set(things)]);
  const now = new Map<string, JoinEvidence | undefined>();
  for (const [thing, some] of rows) now.set(thing, await firstThatStands(store, some, trust, nowMs));
  const renew = <T extends { sha256: string; evidence: JoinEvidence | null }>(
    about: About,
    thing: T | null,
  ): T | null => thing && { ...thing, evidence: now.get(`${about} ${thing.sha256}`) ?? thing.evidence };
  return frames.map(({ gap: _, ...frame }) => {
    const renewed = {
      ...frame,
      bundle: renew('symbols', frame.bundle),
      artifact: renew('artifact', frame.artifact),
    };
    return { ...renewed, gap: gapOf(renewed) };
  });
}
