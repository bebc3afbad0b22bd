/** Takes shipped files in, with what they contain, and binds them to their provenance: by digest, never by name. */

import type { Digest } from '../../base/digest.ts';
import { present } from '../../base/list.ts';
import type { EvidenceRecord } from '../../evidence/documents/record.ts';
import type { SourceFile } from '../../evidence/verify/verify.ts';
import type { Image } from '../../objects/common/identity.ts';
import type { Queries } from '../../store/sql/database.ts';
import { plainText } from '../../store/sql/rows.ts';
import type { BuildFacts } from '../build-facts.ts';
import { keepEvidence } from './evidence.ts';
import { idsOf, internImage } from './images.ts';
import type { TraceStore } from './store.ts';

export type ShippedKind = 'file' | 'debian_package' | 'oci_image' | 'oci_config' | 'oci_layer';

/** A file as it was shipped, hashed by us, and what was found inside. */
export interface Shipped {
  sha256: Digest;
  kind: ShippedKind;
  /** What people call it. */
  name: string;
  sizeBytes: number;
  /** Of a program or library: what names its build. */
  images: Image[];
  /** What the file itself says of its build. */
  build: BuildFacts;
  /** Of its code alone, where it is a program. */
  textSha256?: Digest | null;
  contents: { path: string; shipped: Shipped }[];
}

/** What was verified about a shipped file or a part of it, under the policy of the person who adds it. */
export interface Proof {
  subject: Digest;
  record: EvidenceRecord;
  files: SourceFile[];
}

/** The number of a lock: two writers that take the same rows in different orders would wait for each other. Any number that no other lock uses will do. */
const LOCK = 7_306_365_292;

/** The images of a thing and of all that it contains; in the order in which traces take theirs, so that the two never wait for each other. */
async function internImages(queries: Queries, shipped: Shipped): Promise<Map<string, number>> {
  const known = new Map<string, string | null>();
  const visit = ({ sha256, images, contents }: Shipped): void => {
    for (const image of images)
      for (const { id, derived } of idsOf(image, sha256))
        known.set(id, known.get(id) ?? (derived ? null : image.debug_id));
    for (const content of contents) visit(content.shipped);
  };
  visit(shipped);
  const numbers = new Map<string, number>();
  for (const [id, debugId] of [...known].sort(([one], [other]) => (one < other ? -1 : 1)))
    numbers.set(id, await internImage(queries, id, debugId));
  return numbers;
}

async function insert(queries: Queries, shipped: Shipped, images: Map<string, number>): Promise<number> {
  const { sha256, kind, name, sizeBytes, textSha256 = null, build, contents } = shipped;
  const found = shipped.images.find((image) => image.layout !== null)?.layout;
  const layout = found ? JSON.stringify(found) : null;
  const [row] = await queries.query<{ artifact: number }>(
    `INSERT INTO artifact (sha256, kind, name, size_bytes, text_sha256, build, layout)
     VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb)
     ON CONFLICT (sha256) DO UPDATE SET build = artifact.build || EXCLUDED.build,
       layout = COALESCE(EXCLUDED.layout, artifact.layout) RETURNING artifact`,
    [sha256, kind, plainText(name), String(sizeBytes), textSha256, JSON.stringify(build), layout],
  );
  const { artifact } = present(row);
  for (const image of shipped.images)
    for (const { id } of idsOf(image, sha256))
      await queries.query(
        'INSERT INTO image_artifact (image, artifact) VALUES ($1, $2) ON CONFLICT DO NOTHING',
        [present(images.get(id)), artifact],
      );
  for (const { path, shipped: inner } of contents) {
    const content = await insert(queries, inner, images);
    await queries.query(
      'INSERT INTO containment (content, container, path) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
      [content, artifact, plainText(path)],
    );
  }
  return artifact;
}

/** What is proven of a container holds for its contents, which were hashed as they lay in it. Containers that are shipped are never nested deeper than eight. */
async function spread(queries: Queries, artifact: number): Promise<void> {
  await queries.query(
    `WITH RECURSIVE outer_of (artifact, depth) AS (
       SELECT $1::int, 0
       UNION SELECT container, depth + 1 FROM outer_of JOIN containment ON content = artifact WHERE depth < 8
     ), proven AS (
       SELECT evidence, min(depth) AS height FROM outer_of JOIN artifact USING (artifact)
       JOIN evidence ON subject_sha256 = sha256 AND about = 'artifact' GROUP BY evidence
     ), inner_of (artifact, depth) AS (
       SELECT $1::int, 0
       UNION SELECT content, depth + 1 FROM inner_of JOIN containment ON container = artifact WHERE depth < 8
     )
     INSERT INTO artifact_evidence (artifact, evidence, depth)
     SELECT artifact, evidence, min(height + depth) FROM inner_of CROSS JOIN proven GROUP BY artifact, evidence
     ON CONFLICT (artifact, evidence) DO UPDATE SET depth = LEAST(artifact_evidence.depth, EXCLUDED.depth)`,
    [artifact],
  );
}

async function numberOf(queries: Queries, sha256: Digest): Promise<number> {
  const [row] = await queries.query<{ artifact: number }>('SELECT artifact FROM artifact WHERE sha256 = $1', [
    sha256,
  ]);
  return present(row).artifact;
}

/** Keeps a shipped file and all it contains in one transaction, with what was proven of them, accepted or refused. Returns its images. */
export async function addArtifact(
  store: TraceStore,
  shipped: Shipped,
  proofs: readonly Proof[],
): Promise<{ images: number[] }> {
  return await store.database.transaction(async (queries) => {
    await queries.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
    const images = await internImages(queries, shipped);
    const artifact = await insert(queries, shipped, images);
    for (const { subject, record, files } of proofs) {
      await keepEvidence(store, queries, subject, 'artifact', record, files);
      await spread(queries, await numberOf(queries, subject));
    }
    await spread(queries, artifact);
    return { images: [...images.values()] };
  });
}
