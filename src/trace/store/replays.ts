/** The replay manifests that belong to traces, and what came of replaying them. */
import { canonicalJson } from '../../base/canonical-json.ts';
import type { Digest } from '../../base/digest.ts';
import type { Manifest } from '../../manifest/definition.ts';
import type { Queries } from '../../store/sql/database.ts';
import type { ReproductionVerdict } from '../compare.ts';

/** What came of one replaying. */
export interface Replayed {
  manifest: Manifest;
  imageConfig: Digest | null;
  record: Digest;
  signal: string | null;
  core: Digest | null;
  verdict: ReproductionVerdict;
  diff: unknown;
}

/** Says that this manifest replays the trace; once, however often it is said. */
export async function linkManifest(queries: Queries, traceId: Digest, manifest: Manifest): Promise<void> {
  await queries.query(
    `INSERT INTO replay (trace, replay_manifest) SELECT trace, $2::jsonb FROM trace t WHERE trace_id = $1
     AND NOT EXISTS (SELECT FROM replay r WHERE r.trace = t.trace AND r.replay_manifest = $2::jsonb)`,
    [traceId, canonicalJson(manifest)],
  );
}

/** The manifest that was named last for a trace; undefined where none was. */
export async function manifestOfTrace(queries: Queries, traceId: Digest): Promise<Manifest | undefined> {
  const [row] = await queries.query<{ replay_manifest: Manifest }>(
    `SELECT replay_manifest FROM replay JOIN trace USING (trace) WHERE trace_id = $1 ORDER BY replay DESC LIMIT 1`,
    [traceId],
  );
  return row?.replay_manifest;
}

/** Keeps what came of replaying a trace. */
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

/** For the images of a trace's frames, innermost first: where a shipped container image holds them. */
export async function shipmentOf(queries: Queries, imageIds: string[]): Promise<Shipment | undefined> {
  const [row] = await queries.query<Shipment>(
    `SELECT outermost.name AS image, layer.path FROM unnest($1::text[]) WITH ORDINALITY AS wanted (id, n)
     JOIN image i ON i.id = wanted.id JOIN image_artifact USING (image)
     JOIN containment layer ON layer.content = image_artifact.artifact
     JOIN containment whole ON whole.content = layer.container
     JOIN artifact outermost ON outermost.artifact = whole.container AND outermost.kind = 'oci_image'
     ORDER BY wanted.n, outermost.artifact DESC LIMIT 1`,
    [imageIds],
  );
  return row;
}
