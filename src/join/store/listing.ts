/** What a store holds, in lists and one by one: traces, symbol files and shipped files, each by its digest or an id. */
import type { Digest } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import type { Signer } from '../../evidence/documents/record.ts';
import type { Parameter, Queries } from '../../store/sql/database.ts';
import type { ShippedKind } from './artifacts.ts';

/** A trace in the store. */
export interface StoredTrace {
  trace_id: Digest;
  format: string;
  signal: string | null;
  frames: number;
  /** Of the file that it was read from. */
  source_sha256: Digest;
  /** What the latest reproduction came to; null: none was tried. */
  reproduction: string | null;
}

/** Who vouches for a stored file, and since when. */
export interface Vouched {
  /** The envelope that was accepted; null: none. */
  attestation: string | null;
  signers: Signer[];
  signed_at: string | null;
  log_entry: string | null;
}

/** A symbol file in the store. */
export interface StoredSymbols extends Vouched {
  /** Of what is read: of a universal file, one slice. */
  sha256: Digest;
  /** Of the file that the attestation is about. */
  file_sha256: Digest;
  name: string;
  format: string;
  arch: string;
  /** Of its build, such as `elf:` and a build-id. */
  id: string;
  /** Its rank, the higher the better (docs/symbols.md), and what it lacks for the next one. */
  quality: number;
  lacks: string[];
}

/** A shipped file, package or image in the store. */
export interface StoredArtifact extends Vouched {
  sha256: Digest;
  name: string;
  kind: ShippedKind;
  size_bytes: number;
  builder: string | null;
  builder_commit: string | null;
  compiler: string | null;
}

/** What lies in an artifact, by its path there. */
export interface StoredContent {
  path: string;
  sha256: Digest;
  kind: ShippedKind;
  size_bytes: number;
}

const TRACES = `SELECT t.trace_id, t.format, t.signal, t.frame_count AS frames, t.source_sha256,
    (SELECT r.verdict FROM replay r WHERE r.trace = t.trace AND r.verdict IS NOT NULL ORDER BY r.replay DESC LIMIT 1) AS reproduction
  FROM trace t`;

const SYMBOLS = `SELECT sha256, file_sha256, name, format, arch, image_id AS id, quality, lacks,
    attestation_dsse AS attestation, COALESCE(signers, '[]'::jsonb) AS signers, signed_at, insertion_rekor_tile_ref AS log_entry
  FROM symbol_bundles`;

const ARTIFACTS = `SELECT v.sha256, v.artifact_id AS name, v.kind, v.size_bytes::float8 AS size_bytes, v.builder, v.builder_commit, v.compiler,
    v.provenance_dsse AS attestation, COALESCE(v.signers, '[]'::jsonb) AS signers, v.signed_at,
    v.insertion_rekor_tile_ref AS log_entry
  FROM artifacts v JOIN artifact a USING (sha256)`;

/** In the order in which they were added. */
export function listTraces(queries: Queries): Promise<StoredTrace[]> {
  return queries.query(`${TRACES} ORDER BY t.trace`);
}

/** By name, then the best first. */
export function listSymbols(queries: Queries): Promise<StoredSymbols[]> {
  return queries.query(`${SYMBOLS} ORDER BY name, quality DESC, sha256`);
}

/** What was added itself: contents are shown with what they lie in. */
export function listArtifacts(queries: Queries): Promise<StoredArtifact[]> {
  return queries.query(
    `${ARTIFACTS} WHERE NOT EXISTS (SELECT FROM containment c WHERE c.content = a.artifact) ORDER BY a.name, a.sha256`,
  );
}

const PREFIX = /^(?:sha256:|elf:)?([0-9a-f]{6,64})$/;

/** The only row whose digest begins so. */
async function only<Row extends object>(
  queries: Queries,
  what: string,
  given: string,
  sql: (from: string, to: string) => [string, Parameter[]],
): Promise<Row> {
  const [, digits] = PREFIX.exec(given) ?? [];
  if (digits === undefined)
    throw new Fault(
      'usage',
      `"${given.slice(0, 80)}" is no ${what}: name a file, its digest, or six digits of that`,
    );
  const rows = await queries.query<Row>(...sql(digits, digits.padEnd(64, 'g')));
  const [row, ...more] = rows;
  if (!row) throw new Fault('store_unknown', `there is no ${what} ${given} in this store`);
  if (more.length > 0)
    throw new Fault('usage', `more than one ${what} begins with ${given}: give more digits`);
  return row;
}

/** The symbol file with this digest, that of the whole file, or this build-id; of several of one build, the best. */
export function findSymbols(queries: Queries, given: string): Promise<StoredSymbols> {
  return only(queries, 'symbol file', given, (from, to) => [
    `SELECT DISTINCT ON (id) * FROM (${SYMBOLS}) s WHERE sha256 BETWEEN $1 AND $2 OR file_sha256 BETWEEN $1 AND $2
       OR id BETWEEN $3 AND $4 ORDER BY id, quality DESC, sha256 LIMIT 2`,
    [`sha256:${from}`, `sha256:${to}`, `elf:${from}`, `elf:${to}`],
  ]);
}

/** The shipped file with this digest, also one that lies in another, and what lies in it. */
export async function findArtifact(
  queries: Queries,
  given: string,
): Promise<StoredArtifact & { contents: StoredContent[] }> {
  const found = await only<StoredArtifact>(queries, 'artifact', given, (from, to) => [
    `${ARTIFACTS} WHERE a.sha256 BETWEEN $1 AND $2 ORDER BY a.sha256 LIMIT 2`,
    [`sha256:${from}`, `sha256:${to}`],
  ]);
  const contents = await queries.query<StoredContent>(
    `SELECT c.path, i.sha256, i.kind, i.size_bytes::float8 AS size_bytes FROM artifact o
     JOIN containment c ON c.container = o.artifact JOIN artifact i ON i.artifact = c.content
     WHERE o.sha256 = $1 ORDER BY c.path`,
    [found.sha256],
  );
  return { ...found, contents };
}
