/** Joins a trace's frames to symbols, artifacts and their evidence, and keeps frames that are not joined in their places. */

import type { Digest } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import { itemAt, present } from '../../base/list.ts';
import type { SourcePlace } from '../../objects/common/source-place.ts';
import type { Queries } from '../../store/sql/database.ts';
import type { FrameFacts, WalkFacts } from '../../trace/model/frame-facts.ts';
import { gapOf, type JoinArtifact, type JoinBundle, type JoinedFrame } from '../gap.ts';

export interface TraceRow extends WalkFacts {
  trace_id: Digest;
  format: string;
  signal: string | null;
  code: number | null;
  fault_address: string | null;
  source_sha256: Digest;
  frame_count: number;
}

const PREFIX = /^(?:sha256:)?([0-9a-f]{6,64})$/;

/** The trace with this id, or the only one whose id begins so; at least six digits. */
export async function findTrace(queries: Queries, given: string): Promise<TraceRow> {
  const [, digits] = PREFIX.exec(given) ?? [];
  if (digits === undefined)
    throw new Fault(
      'usage',
      `"${given.slice(0, 80)}" is no trace id: sha256: and 64 digits, or the first six of them`,
    );
  const rows = await queries.query<TraceRow>(
    `SELECT trace_id, format, signal, code, fault_address, source_sha256, frame_count, crashed, ended
     FROM trace JOIN thread USING (trace) WHERE n = 0 AND trace_id >= $1 AND trace_id <= $2 ORDER BY trace_id LIMIT 2`,
    [`sha256:${digits}`, `sha256:${digits.padEnd(64, 'g')}`],
  );
  if (rows.length === 0) throw new Fault('store_unknown', `there is no trace ${given} in this store`);
  if (rows.length > 1) throw new Fault('usage', `more than one trace begins with ${given}: give more digits`);
  return itemAt(rows, 0);
}

interface FrameRow extends FrameFacts {
  chain: SourcePlace[] | null;
  degraded: boolean | null;
  status: string | null;
  bundle: number | null;
}

const EVIDENCE = `json_build_object('evidence', e.evidence, 'dsse', 'dsse:' || e.envelope_sha256, 'verified', e.verified, 'error', e.error,
  'signed_at', e.signed_at, 'tile_ref', e.tile_ref,
  'signers', (SELECT COALESCE(json_agg(DISTINCT COALESCE(s->>'identity', s->>'authority')), '[]') FROM jsonb_array_elements(e.signers) s))`;

/** By their numbers, each with the id of the image that it is of. */
async function bundlesOf(
  queries: Queries,
  numbers: number[],
): Promise<Map<number, { bundle: JoinBundle; id: string; text: string | null }>> {
  if (numbers.length === 0) return new Map();
  const rows = await queries.query<JoinBundle & { number: number; id: string; text: string | null }>(
    `SELECT b.bundle AS number,
       CASE WHEN i.id LIKE 'debug:%' THEN (
         SELECT CASE WHEN count(*) = 1 THEN min(o.id) END FROM image o
         WHERE o.debug_id = i.debug_id AND o.basis = '' AND o.id LIKE 'elf:%'
       ) ELSE i.id END AS id, b.text_sha256 AS text, b.sha256, b.name, b.format, b.quality, b.lacks,
       (SELECT ${EVIDENCE} FROM evidence e WHERE e.subject_sha256 = b.file_sha256 AND e.about = 'symbols'
        ORDER BY e.verified DESC, e.evidence DESC LIMIT 1) AS evidence
     FROM bundle b JOIN image i USING (image) WHERE b.bundle = ANY ($1::int[])`,
    [numbers],
  );
  return new Map(rows.map(({ number, id, text, ...bundle }) => [number, { bundle, id, text }]));
}

type Candidate = JoinArtifact & { text: string | null };

async function artifactsOf(queries: Queries, ids: string[]): Promise<Map<string, Candidate[]>> {
  const rows = await queries.query<Candidate & { image_id: string }>(
    `SELECT i.id AS image_id, a.text_sha256 AS text, v.sha256, v.artifact_id, v.kind, v.builder, v.builder_commit, v.compiler, v.compiler_flags,
       v.compiler_from,
       (SELECT ${EVIDENCE} FROM artifact_evidence JOIN evidence e USING (evidence)
        WHERE artifact_evidence.artifact = a.artifact
        ORDER BY e.verified DESC, artifact_evidence.depth, e.evidence DESC LIMIT 1) AS evidence
     FROM image i JOIN image_artifact USING (image) JOIN artifact a USING (artifact) JOIN artifacts v ON v.sha256 = a.sha256
     WHERE i.id = ANY ($1::text[]) ORDER BY v.sha256`,
    [ids],
  );
  const found = new Map<string, Candidate[]>();
  for (const { image_id, ...artifact } of rows)
    found.set(image_id, [...(found.get(image_id) ?? []), artifact]);
  return found;
}

/** The one artifact that a frame can belong to: the loaded one, if the trace says which that was, else the only one with its id. */
function chosen(candidates: Candidate[], loaded: string | null): JoinArtifact | null {
  const one =
    loaded !== null
      ? candidates.find(({ sha256 }) => sha256 === loaded)
      : candidates.length === 1
        ? candidates[0]
        : undefined;
  if (!one) return null;
  const { text: _, ...artifact } = one;
  return artifact;
}

/** An id is only the linker's claim: symbols whose code is known to differ belong to none of these files. */
function ofThisCode(candidates: Candidate[], text: string | null | undefined): Candidate[] {
  return text ? candidates.filter((one) => one.text === null || one.text === text) : candidates;
}

/** Frames of a trace, joined; `first`: only so many of the crashing thread, which the gates judge. */
export async function joinFrames(queries: Queries, traceId: string, first?: number): Promise<JoinedFrame[]> {
  const rows = await queries.query<FrameRow>(
    `SELECT frame_index AS index, thread, ip, image_id, image_path, arch, loaded_sha256, rel_addr, activation, trust, chain,
       degraded, status, bundle
     FROM frames
     WHERE trace_id = $1 ${first === undefined ? '' : 'AND thread = 0 AND frame_index < $2'} ORDER BY frame_index`,
    first === undefined ? [traceId] : [traceId, first],
  );
  const numbers = [...new Set(rows.flatMap(({ bundle }) => bundle ?? []))];
  const bundles = await bundlesOf(queries, numbers);
  // An image that is known only by its debug id or its file is the one that its symbols belong to.
  const idOf = ({ image_id, bundle }: FrameRow): string | null =>
    bundle === null || !/^(?:debug|sha256):/.test(image_id ?? '')
      ? image_id
      : present(bundles.get(bundle)).id;
  const artifacts = await artifactsOf(queries, [...new Set(rows.flatMap((row) => idOf(row) ?? []))]);
  return rows.map((row) => {
    const { chain, bundle, degraded, ...rest } = row;
    const symbols = bundle === null ? undefined : bundles.get(bundle);
    const candidates = ofThisCode(artifacts.get(idOf(row) ?? '') ?? [], symbols?.text);
    const frame = {
      ...rest,
      places: chain ?? [],
      degraded: degraded ?? false,
      bundle: symbols?.bundle ?? null,
      artifact: chosen(candidates, row.loaded_sha256),
      candidates: candidates.length,
    };
    return { ...frame, gap: gapOf(frame) };
  });
}
