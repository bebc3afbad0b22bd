/** The replay manifests that belong to traces, and the results of replaying them. */
import { canonicalJson } from '../../base/canonical-json.ts';
import type { Digest } from '../../base/digest.ts';
import type { Manifest } from '../../manifest/definition.ts';
import type { Queries } from '../../store/sql/database.ts';
import type { ReproductionVerdict } from '../compare.ts';

/** The result of one reproduction. */
export interface Replayed {
  manifest: Manifest;
  imageConfig: Digest | null;
  record: Digest;
  signal: string | null;
  core: Digest | null;
  verdict: ReproductionVerdict;
  diff: unknown;
}

/** Notes that this manifest replays the trace; kept once, however often it is called. */
export async function linkManifest(queries: Queries, traceId: Digest, manifest: Manifest): Promise<void> {
  await queries.query(
    `INSERT INTO replay (trace, replay_manifest) SELECT trace, $2::jsonb FROM trace t WHERE trace_id = $1
     AND $2::jsonb IS DISTINCT FROM (SELECT replay_manifest FROM replay r
       WHERE r.trace = t.trace AND r.verdict IS NULL ORDER BY replay DESC LIMIT 1)`,
    [traceId, canonicalJson(manifest)],
  );
}

/** The manifest that was named last for a trace; undefined where none was. */
export async function manifestOfTrace(queries: Queries, traceId: Digest): Promise<Manifest | undefined> {
  const [row] = await queries.query<{ replay_manifest: Manifest }>(
    `SELECT replay_manifest FROM replay JOIN trace USING (trace)
     WHERE trace_id = $1 AND verdict IS NULL ORDER BY replay DESC LIMIT 1`,
    [traceId],
  );
  return row?.replay_manifest;
}

/** Keeps the result of replaying a trace. */
export async function keepReplayed(queries: Queries, traceId: Digest, replayed: Replayed): Promise<void> {
  const { manifest, imageConfig, record, signal, core, verdict, diff } = replayed;
  await queries.query(
    `INSERT INTO replay (trace, replay_manifest, image_config_sha256, record_sha256, signal, core_sha256, verdict, diff)
     SELECT trace, $2::jsonb, $3, $4, $5, $6, $7, $8::jsonb FROM trace WHERE trace_id = $1`,
    [traceId, canonicalJson(manifest), imageConfig, record, signal, core, verdict, JSON.stringify(diff)],
  );
}

/** An image of containers that an artifact of the trace lies in, and where: what a replay could be made of. */
export interface Shipment {
  image: string;
  path: string;
}

/** The outermost frame's file that a shipped container image holds; the loaded one, where the trace says which that was. */
export async function shipmentOf(queries: Queries, traceId: Digest): Promise<Shipment | undefined> {
  const [row] = await queries.query<Shipment>(
    `WITH RECURSIVE up (n, path, artifact, depth) AS (
       SELECT f.frame_index, c.path, c.container, 0 FROM frames f JOIN image i ON i.id = f.image_id
       JOIN image_artifact USING (image) JOIN artifact a USING (artifact) JOIN containment c ON c.content = a.artifact
       WHERE f.trace_id = $1 AND f.thread = 0 AND (f.loaded_sha256 IS NULL OR f.loaded_sha256 = a.sha256)
       UNION SELECT up.n, up.path, c.container, depth + 1 FROM up JOIN containment c ON c.content = up.artifact
       WHERE depth < 8
     )
     SELECT name AS image, up.path FROM up JOIN artifact USING (artifact) WHERE kind = 'oci_image'
     ORDER BY n DESC, depth, artifact DESC LIMIT 1`,
    [traceId],
  );
  return row;
}
