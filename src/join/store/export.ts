/** A trace with all that the store joins to it, as one document that can be judged without the store. */

import type { Digest } from '../../base/digest.ts';
import { asDigest } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import { LIMITS } from '../../base/limits.ts';
import { itemAt, lastItem, present } from '../../base/list.ts';
import type { Trust } from '../../evidence/trust/trust.ts';
import type { Queries } from '../../store/sql/database.ts';
import { claimsOf, frameFacts, walkFacts } from '../../trace/model/frame-facts.ts';
import { parseStored } from '../../trace/model/stored.ts';
import type { Trace } from '../../trace/model/trace.ts';
import type { BuildFacts } from '../build-facts.ts';
import {
  type JoinDocument,
  type JoinFrame,
  type JoinProof,
  type JoinReproduction,
  type JoinShipped,
  type JoinSymbols,
  joinedFrames,
  MOST_EARLIER,
  MOST_EVIDENCE,
} from '../document.ts';
import type { JoinedFrame } from '../gap.ts';
import { gatesOf } from '../gates.ts';
import type { About } from './evidence.ts';
import { joinFrames, type TraceRow } from './join.ts';
import { buildOf, type Claimed, Prover } from './prove.ts';
import type { TraceStore } from './store.ts';

/** A replay of a trace whose record the store has. */
export type Reproduced = JoinReproduction & { record_sha256: Digest };

/** All replays of a trace that left a record, the first one first. */
export async function reproductionsOf(queries: Queries, traceId: Digest): Promise<Reproduced[]> {
  const rows = await queries.query<
    Pick<Reproduced, 'record_sha256' | 'verdict'> & {
      diff: { at: number | null; known?: number; reason: string } | null;
    }
  >(
    `SELECT record_sha256, verdict, diff FROM replay JOIN trace USING (trace)
     WHERE trace_id = $1 AND record_sha256 IS NOT NULL AND verdict IS NOT NULL ORDER BY replay`,
    [traceId],
  );
  return rows.map(({ record_sha256, verdict, diff }) => ({
    ...{ record_sha256, verdict, at: diff?.at ?? null, known: diff?.known ?? 0, reason: diff?.reason ?? '' },
  }));
}

interface EvidenceRow {
  subject_sha256: Digest;
  files: Digest[];
}

/** Each piece of evidence once, under whatever policies it came in. */
function once(rows: EvidenceRow[]): EvidenceRow[] {
  return [...new Map(rows.map((row) => [JSON.stringify([row.subject_sha256, row.files]), row])).values()];
}

/** The containers that a file lies in, up to the one that evidence is about, by the shortest way. */
async function containersOf(queries: Queries, from: Digest, to: Digest): Promise<JoinProof['within'] | null> {
  const [row] = await queries.query<{ within: JoinProof['within'] }>(
    `WITH RECURSIVE up (artifact, depth, within) AS (
       SELECT artifact, 0, '[]'::jsonb FROM artifact WHERE sha256 = $1
       UNION ALL SELECT container, depth + 1, within || jsonb_build_object('sha256', o.sha256, 'path', c.path)
       FROM up JOIN containment c ON c.content = up.artifact JOIN artifact o ON o.artifact = c.container WHERE depth < 8
     )
     SELECT within FROM up JOIN artifact USING (artifact) WHERE sha256 = $2 ORDER BY depth, within::text LIMIT 1`,
    [from, to],
  );
  return row?.within ?? null;
}

class Exporter {
  private readonly store: TraceStore;
  private readonly prover: Prover;

  constructor(store: TraceStore, prover: Prover) {
    this.store = store;
    this.prover = prover;
  }

  private async proofs(about: About, claimed: Claimed[]): Promise<JoinProof[]> {
    const proofs: JoinProof[] = [];
    for (const one of claimed.slice(0, MOST_EVIDENCE)) proofs.push(await this.prover.prove(about, one));
    return proofs;
  }

  async symbols(sha256: Digest): Promise<JoinSymbols> {
    const { database } = this.store;
    const [row] = await database.query<Omit<JoinSymbols, 'says' | 'evidence'> & { build: BuildFacts }>(
      'SELECT sha256, file_sha256, name, format, lacks, build FROM bundle WHERE sha256 = $1',
      [sha256],
    );
    const rows = await database.query<EvidenceRow>(
      `SELECT subject_sha256, files FROM evidence WHERE subject_sha256 = $1 AND about = 'symbols' ORDER BY evidence DESC`,
      [present(row).file_sha256],
    );
    const { build, ...rest } = present(row);
    const evidence = await this.proofs(
      'symbols',
      once(rows).map((one) => ({ ...one, within: [] })),
    );
    return { ...rest, says: buildOf(build), evidence };
  }

  async shipped(sha256: Digest): Promise<JoinShipped> {
    const { database } = this.store;
    const [row] = await database.query<Omit<JoinShipped, 'says' | 'evidence'> & { build: BuildFacts }>(
      'SELECT sha256, name, kind, build FROM artifact WHERE sha256 = $1',
      [sha256],
    );
    const rows = await database.query<EvidenceRow>(
      `SELECT e.subject_sha256, e.files FROM artifact JOIN artifact_evidence ae USING (artifact) JOIN evidence e USING (evidence)
       WHERE sha256 = $1 ORDER BY ae.depth, e.evidence DESC`,
      [sha256],
    );
    const claimed: Claimed[] = [];
    for (const one of once(rows)) {
      const within = await containersOf(database, sha256, one.subject_sha256);
      if (within) claimed.push({ ...one, within });
    }
    const { build, ...rest } = present(row);
    return { ...rest, says: buildOf(build), evidence: await this.proofs('artifact', claimed) };
  }
}

/** What bundles hold of the trace itself; a Fault where the store has lost it. */
async function storedTrace({ blobs }: TraceStore, traceId: Digest): Promise<Trace> {
  const bytes = await blobs.get(traceId);
  const trace = bytes && parseStored(bytes);
  if (!trace?.ok)
    throw new Fault(
      'store_unknown',
      `the trace ${traceId} is not in ${blobs.folder}, or is too large to be packed`,
    );
  return trace.value;
}

function distinct(digests: (Digest | null)[]): Digest[] {
  return [...new Set(digests.filter((one) => one !== null))].sort();
}

/** The options of an export, beside the trace. */
export interface ExportOptions {
  trust: Trust;
  /** The time at which evidence is judged. */
  nowMs: number;
  /** The first one first; the last is that of the record that the document goes with. */
  reproductions: Reproduced[];
}

/** The document of a trace. Nothing of it is taken over from earlier verdicts: its evidence is judged anew, from the bytes. */
export async function exportJoin(store: TraceStore, row: TraceRow, o: ExportOptions): Promise<JoinDocument> {
  const { trace_id, format, signal, source_sha256 } = row;
  const trace = await storedTrace(store, trace_id);
  const claims = claimsOf(trace);
  const walk = walkFacts(trace);
  const stored = await joinFrames(store.database, trace_id);
  const prover = new Prover(o.trust, o.nowMs, async (sha256) =>
    // A verification does not look into larger ones.
    (store.blobs.sizeOf(sha256) ?? 0) > LIMITS.documentBytes ? undefined : await store.blobs.get(sha256),
  );
  const exporter = new Exporter(store, prover);
  const joined = frameFacts(trace).map((facts, n): Omit<JoinFrame, 'gap'> => {
    const { places, degraded, status, bundle, candidates, ...rest } = itemAt(stored, n);
    // Of two images with one id, the store knows one; the trace says which was loaded here.
    const artifact = facts.loaded_sha256 === rest.loaded_sha256 ? rest.artifact : null;
    return {
      ...{ ...facts, claimed: itemAt(claims, n), places, degraded, status, candidates },
      symbols: bundle === null ? null : asDigest(bundle.sha256),
      artifact: artifact === null ? null : asDigest(artifact.sha256),
    };
  });
  const symbols: JoinSymbols[] = [];
  for (const sha256 of distinct(joined.map((one) => one.symbols)))
    symbols.push(await exporter.symbols(sha256));
  const artifacts: JoinShipped[] = [];
  for (const sha256 of distinct(joined.map((one) => one.artifact)))
    artifacts.push(await exporter.shipped(sha256));
  const judged: JoinedFrame[] = joinedFrames({ symbols, artifacts, frames: joined });
  const earlier = o.reproductions.slice(0, -1).slice(-MOST_EARLIER);
  const { record_sha256: _, ...reproduction } = lastItem(o.reproductions);
  const { policy } = o.trust;
  return {
    ...{ join_version: 2, trace_id, format, signal, ...walk, source_sha256 },
    policy: { name: policy.name, sha256: policy.sha256 },
    ...{ reproduction, earlier, symbols, artifacts },
    frames: joined.map((one, n) => ({ ...one, gap: itemAt(judged, n).gap })),
    gates: gatesOf(judged, walk.ended, policy),
  };
}
