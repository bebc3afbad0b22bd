/** Gives the places of images their names: each address once from the best symbols at hand, and again when better ones are added. */

import type { Digest } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import { itemAt, present } from '../../base/list.ts';
import type { Layout, ObjectFile } from '../../objects/common/identity.ts';
import { readObject } from '../../objects/object.ts';
import type { Queries } from '../../store/sql/database.ts';
import { pieces } from '../../store/sql/rows.ts';
import type { Resolved } from '../../symbolize/symbolize.ts';
import { distanceIn, type Sides } from '../../trace/model/basis.ts';
import { type FrameStatus, isNamed } from '../gap.ts';
import { companionsOf } from './companions.ts';
import type { TraceStore } from './store.ts';

/** The engine that turns addresses into functions and lines. */
export interface Symbolizer {
  /** Its name and version, kept with what it found; a Fault where it is not there. */
  engine(): Promise<string>;
  symbolize(
    file: {
      path: string;
      arch: string;
      format: ObjectFile['format'];
      /** Files of what was split off, and of what dwz moved out. */
      split?: readonly string[];
      shared?: string | null;
    },
    addresses: bigint[],
  ): Promise<Resolved[]>;
}

interface Best {
  image: number;
  basis: string;
  /** The image that the symbols belong to; addresses of any basis are looked up in it. */
  source: number;
  bundle: number;
  sha256: Digest;
  format: ObjectFile['format'];
  arch: string;
  /** True if only the file names link the symbols to this image. */
  by_name: boolean;
}

const PIECE = 5000;
/** The name of the source map of a script that a trace knows by its path or address alone; bundlers add `.map` to the script's. */
const MAP_NAME = String.raw`regexp_replace(regexp_replace(substr(i.id, 6), '[?#].*$', ''), '^.*[/\\]', '') || '.map'`;

const NO_LINE = { file: null, line: null, column: null };

/**
 * The best symbols for each of these images. An image that is known by its debug id alone has those of the one
 * image with that debug id: where two have it, there is no telling which was meant. One that is known by the digest of its
 * file has those of the build that the file names, once it was added as an artifact. Symbols whose own id may
 * be a hash of the first page of code are of a build only where a program that bears this id as its build-id is there.
 * A script of which nothing but its path is known has the one source map of that name, and no proof that it is its own.
 */
async function bestBundles(queries: Queries, images: number[]): Promise<Best[]> {
  return await queries.query<Best>(
    `WITH meant AS (
       SELECT i.image, i.id, i.basis, CASE WHEN i.id LIKE 'debug:%' THEN (
         SELECT CASE WHEN count(*) = 1 THEN min(o.image) END FROM image o
         WHERE o.debug_id = i.debug_id AND o.basis = '' AND o.id NOT LIKE 'debug:%' AND o.id NOT LIKE 'pe:%'
       ) WHEN i.id LIKE 'sha256:%' THEN COALESCE((
         SELECT CASE WHEN count(*) = 1 THEN min(o.image) END
         FROM artifact a JOIN image_artifact USING (artifact) JOIN image o USING (image)
         WHERE a.sha256 = i.id AND o.id NOT LIKE 'sha256:%' AND o.id NOT LIKE 'pe:%'
       ), own.image) WHEN i.id LIKE 'none:%' THEN (
         SELECT CASE WHEN count(*) = 1 THEN min(b.image) END FROM bundle b
         WHERE b.format = 'sourcemap' AND b.name = ${MAP_NAME}
           AND EXISTS (SELECT FROM trace_image t WHERE t.image = i.image AND t.arch = 'javascript')
       ) ELSE own.image END AS source
       FROM image i LEFT JOIN image own ON own.id = i.id AND own.basis = '' WHERE i.image = ANY ($1::int[])
     ), source AS (
       SELECT DISTINCT source, o.debug_id, EXISTS (SELECT FROM image_artifact ia WHERE ia.image = source)
         OR EXISTS (SELECT FROM bundle e WHERE e.image = source AND e.format = 'elf') AS borne
       FROM meant JOIN image o ON o.image = source
     ), candidate AS (
       SELECT source, b.* FROM source JOIN bundle b ON b.image = source WHERE borne OR NOT b.weak_id
       UNION ALL SELECT source, b.* FROM source JOIN image d ON d.id = 'debug:' || source.debug_id AND d.basis = ''
         JOIN bundle b ON b.image = d.image WHERE borne AND b.weak_id
     )
     SELECT DISTINCT ON (meant.image) meant.image, meant.basis, source, b.bundle, b.sha256, b.format, b.arch,
       meant.id LIKE 'none:%' AS by_name
     FROM meant JOIN candidate b USING (source) WHERE b.quality > 0
     ORDER BY meant.image, b.quality DESC, b.bundle DESC`,
    [images],
  );
}

type Answer = Omit<Resolved, 'error'> & { error: Resolved['error'] | 'malformed' | 'base_ambiguous' };

const failed = (error: Answer['error']): Answer => ({
  places: [],
  degraded: false,
  error,
  approximate: null,
});

/** Unreadable symbols are no error of the trace: its places note it, and better symbols may be added later. */
async function lookUp(
  symbolizer: Symbolizer,
  file: Parameters<Symbolizer['symbolize']>[0],
  addresses: bigint[],
): Promise<Answer[]> {
  try {
    return await symbolizer.symbolize(file, addresses);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'object_malformed') throw error;
    return addresses.map(() => failed('malformed'));
  }
}

function statusOf({ places, error, approximate }: Answer, best: Best): FrameStatus {
  if (error !== null) return error;
  if (!isNamed(places, best.format)) return 'no_symbol';
  if (best.by_name) return 'approximate_by_name';
  return approximate === null ? 'resolved' : `approximate_${approximate}`;
}

/** Where the other halves of split units are missing, the line can belong to an inlined call while the name is that of the function around it. */
function withoutLine(answer: Answer): Answer {
  const places = answer.places.slice(-1).map(({ function: name }) => ({ ...NO_LINE, function: name }));
  return { ...answer, places, degraded: true };
}

/** The shipped files that bear the image's id, as far as they were laid out when they were added. */
async function layoutsOf(queries: Queries, image: number): Promise<Layout[]> {
  const rows = await queries.query<{ layout: Layout }>(
    'SELECT layout FROM image_artifact JOIN artifact USING (artifact) WHERE image = $1 AND layout IS NOT NULL',
    [image],
  );
  return rows.map(({ layout }) => layout);
}

/** Turns a trace's addresses into those of the symbols' file; an address that could mean two places is not looked up. */
async function lookUpFrom(
  queries: Queries,
  symbolizer: Symbolizer,
  file: Parameters<Symbolizer['symbolize']>[0],
  { basis, source }: Best,
  addresses: bigint[],
): Promise<Answer[]> {
  if (file.format !== 'elf' && file.format !== 'breakpad') return await lookUp(symbolizer, file, addresses);
  let sides: Sides;
  try {
    const [image] = readObject(file.path).images;
    sides = { format: file.format, image: present(image), shipped: await layoutsOf(queries, source) };
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'object_malformed') throw error;
    return addresses.map(() => failed('malformed'));
  }
  const wanted = addresses.map((address) => distanceIn(sides, basis, address));
  const found = await lookUp(
    symbolizer,
    file,
    wanted.filter((one) => one !== null),
  );
  let next = 0;
  return wanted.map((one) => (one === null ? failed('base_ambiguous') : present(found[next++])));
}

async function resolveImage(
  { database, blobs }: TraceStore,
  symbolizer: Symbolizer,
  best: Best,
): Promise<number> {
  const open = await database.query<{ location: number; addr: string }>(
    `SELECT location, addr::text FROM location WHERE image = $1
       AND (bundle IS DISTINCT FROM $2 OR status IN ('malformed', 'engine_crash', 'base_ambiguous')) ORDER BY addr`,
    [best.image, best.bundle],
  );
  if (open.length === 0) return 0;
  const { sha256, format, arch } = best;
  if (!blobs.has(sha256))
    throw new Fault(
      'store_failed',
      `${blobs.folder} does not have the symbols ${sha256}, which the database names: a database and its folder belong together`,
    );
  const engine = await symbolizer.engine();
  const { split, shared, missing } = await companionsOf(database, best.bundle);
  const at = (one: Digest): string => blobs.path(one);
  const beside = { split: split.map(at), shared: shared === null ? null : at(shared) };
  const resolved = await lookUpFrom(
    database,
    symbolizer,
    { path: blobs.path(sha256), arch, format, ...beside },
    best,
    open.map(({ addr }) => BigInt.asUintN(64, BigInt(addr))),
  );
  const rows = open.map(({ location }, n) => ({
    location,
    ...(missing > 0 ? withoutLine(itemAt(resolved, n)) : itemAt(resolved, n)),
  }));
  for (const piece of pieces(rows, PIECE))
    await database.query(
      `UPDATE location SET bundle = $1, engine = $2, status = n.status, degraded = n.degraded, chain = n.chain::jsonb
       FROM unnest($3::int[], $4::text[], $5::boolean[], $6::text[]) AS n (location, status, degraded, chain)
       WHERE location.location = n.location`,
      [
        best.bundle,
        engine,
        piece.map(({ location }) => location),
        piece.map((one) => statusOf(one, best)),
        piece.map(({ degraded }) => degraded),
        piece.map(({ places }) => JSON.stringify(places).replaceAll('\\u0000', '')),
      ],
    );
  return rows.length;
}

/** These images, and those that are known by the debug id of one, by the digest of a file of that build, or by the name of a source map. */
async function imagesMeaning(queries: Queries, images: number[]): Promise<number[]> {
  const rows = await queries.query<{ image: number }>(
    `SELECT image FROM image WHERE image = ANY ($1::int[])
     UNION SELECT o.image FROM image i JOIN image o USING (id) WHERE i.image = ANY ($1::int[])
     UNION SELECT o.image FROM image d JOIN image o ON d.id = 'debug:' || o.debug_id WHERE d.image = ANY ($1::int[])
     UNION SELECT o.image FROM image i JOIN image o ON o.debug_id = i.debug_id AND o.id LIKE 'debug:%'
       WHERE i.image = ANY ($1::int[])
     UNION SELECT o.image FROM image_artifact ia JOIN artifact a USING (artifact) JOIN image o ON o.id = a.sha256
       WHERE ia.image = ANY ($1::int[])
     UNION SELECT i.image FROM bundle b JOIN image i ON i.id LIKE 'none:%' AND b.name = ${MAP_NAME}
       WHERE b.image = ANY ($1::int[]) AND b.format = 'sourcemap'`,
    [images],
  );
  return rows.map((row) => row.image);
}

/** Looks up what the best symbols of these images have not yet been asked for; returns how many places that were. */
export async function resolveImages(
  store: TraceStore,
  symbolizer: Symbolizer,
  images: number[],
): Promise<number> {
  const meant = await imagesMeaning(store.database, images);
  const found = await bestBundles(store.database, meant);
  // What was clear may have become ambiguous.
  await store.database.query(
    `UPDATE location SET bundle = NULL, status = NULL, degraded = false, engine = NULL, chain = NULL
     WHERE image = ANY ($1::int[]) AND image <> ALL ($2::int[]) AND bundle IS NOT NULL`,
    [meant, found.map(({ image }) => image)],
  );
  let places = 0;
  for (const best of found) places += await resolveImage(store, symbolizer, best);
  return places;
}

/** The images of these traces. */
export async function imagesOfTraces(queries: Queries, traces: Digest[]): Promise<number[]> {
  const rows = await queries.query<{ image: number }>(
    'SELECT DISTINCT image FROM trace JOIN trace_image USING (trace) WHERE trace_id = ANY ($1::text[]) ORDER BY image',
    [traces],
  );
  return rows.map(({ image }) => image);
}
