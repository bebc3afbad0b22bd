/** Takes traces in: whole or not at all, each once, many in one transaction; a place that was seen before is not kept again. */

import type { Digest } from '../../base/digest.ts';
import { itemAt, present } from '../../base/list.ts';
import type { Queries } from '../../store/sql/database.ts';
import { arrayText, pieces, plainText, toBigint } from '../../store/sql/rows.ts';
import { basisOf } from '../../trace/model/basis.ts';
import { imageKey, inOrder } from '../../trace/model/frame-facts.ts';
import { canonicalTrace } from '../../trace/model/id.ts';
import {
  FRAME_TRUSTS,
  type Frame,
  type Thread,
  type Trace,
  type TraceImage,
  wrongTrace,
} from '../../trace/model/trace.ts';
import type { TraceStore } from './store.ts';

/** A trace as it was read, and the file it was read from, which the store keeps. */
export interface Incoming {
  trace: Trace;
  source: Digest;
}

export interface Ingested {
  trace_id: Digest;
  /** False: it was there before. */
  added: boolean;
  frames: number;
}

/** For an activation the address itself is looked up; for all other frames the byte before it, where the call lies. */
const ACTIVATION = 16;
/** Rows in one statement. */
const PIECE = 20_000;

interface Prepared extends Incoming {
  trace_id: Digest;
  threads: Thread[];
  /** The names under which its images are interned, and the same names with the basis that addresses count from. */
  ids: string[];
  keys: string[];
}

/** A basis has no line's end. */
const keyOf = (id: string, basis: string): string => `${id}\n${basis}`;

/** One build can be loaded twice; two files that are said to be one build cannot be told apart in what is kept. */
function assertTold({ trace: { images }, ids, trace_id }: Prepared): void {
  const seen = new Map<string, TraceImage>();
  for (const [n, image] of images.entries()) {
    const other = seen.get(itemAt(ids, n));
    if (other && other.sha256 !== image.sha256)
      throw wrongTrace(
        trace_id,
        `its images ${other.path} and ${image.path} are both ${ids[n]}, and of different files`,
      );
    seen.set(itemAt(ids, n), image);
  }
}

/** The address that is looked up in the image's symbols; undefined where the trace gives none. */
function lookedUp({ rel_addr, activation }: Frame): bigint | undefined {
  if (rel_addr === null) return undefined;
  const address = BigInt(rel_addr);
  return activation || address === 0n ? address : address - 1n;
}

async function internImages(queries: Queries, prepared: Prepared[]): Promise<Map<string, number>> {
  const known = new Map<string, string | null>();
  // What a trace says of an image that has an id is not believed for other traces.
  for (const { trace, ids, keys } of prepared)
    for (const [n, { debug_id }] of trace.images.entries())
      known.set(itemAt(keys, n), itemAt(ids, n).startsWith('debug:') ? debug_id : null);
  // All writers use one order: with two orders they could deadlock.
  const names = [...known.keys()].sort();
  const found = new Map<string, number>();
  for (const piece of pieces(names, PIECE)) {
    const lists = [
      piece.map((key) => key.slice(0, key.lastIndexOf('\n'))),
      piece.map((key) => key.slice(key.lastIndexOf('\n') + 1)),
    ];
    await queries.query(
      `INSERT INTO image (id, basis, debug_id)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS n (id, basis, debug_id)
       WHERE NOT EXISTS (SELECT FROM image WHERE image.id = n.id AND image.basis = n.basis) ON CONFLICT DO NOTHING`,
      [...lists, piece.map((key) => known.get(key) ?? null)],
    );
    const rows = await queries.query<{ id: string; basis: string; image: number }>(
      'SELECT id, basis, image FROM image JOIN unnest($1::text[], $2::text[]) AS n (id, basis) USING (id, basis)',
      lists,
    );
    for (const { id, basis, image } of rows) found.set(keyOf(id, basis), image);
  }
  return found;
}

/** The numbers of these places, `image:address`; those that are new are made. */
async function internLocations(queries: Queries, wanted: Set<string>): Promise<Map<string, number>> {
  const keys = [...wanted].map((key): [string, string] => {
    const end = key.indexOf(':');
    return [key.slice(0, end), key.slice(end + 1)];
  });
  keys.sort(([a, x], [b, y]) => Number(a) - Number(b) || (BigInt(x) < BigInt(y) ? -1 : 1));
  const found = new Map<string, number>();
  for (const piece of pieces(keys, PIECE)) {
    const lists = [piece.map(([image]) => Number(image)), piece.map(([, address]) => address)];
    await queries.query(
      `INSERT INTO location (image, addr) SELECT * FROM unnest($1::int[], $2::bigint[]) AS n (image, addr)
       WHERE NOT EXISTS (SELECT FROM location l WHERE l.image = n.image AND l.addr = n.addr) ON CONFLICT DO NOTHING`,
      lists,
    );
    const rows = await queries.query<{ location: number; image: number; addr: string }>(
      `SELECT location, image, addr::text FROM location
       JOIN unnest($1::int[], $2::bigint[]) AS n (image, addr) USING (image, addr)`,
      lists,
    );
    for (const { location, image, addr } of rows) found.set(`${image}:${addr}`, location);
  }
  return found;
}

/** The place of a frame, `image:address`, or undefined where it has none. */
function placeOf(frame: Frame, { keys }: Prepared, images: Map<string, number>): string | undefined {
  const address = lookedUp(frame);
  if (frame.image === null || address === undefined) return undefined;
  return `${present(images.get(present(keys[frame.image])))}:${toBigint(address)}`;
}

function foundOf({ trust, activation, rel_addr }: Frame): number {
  // Before address 0 there is nothing: it is looked up as it is.
  const exact = activation || (rel_addr !== null && BigInt(rel_addr) === 0n);
  return FRAME_TRUSTS.indexOf(trust) + (exact ? ACTIVATION : 0);
}

async function insertThreads(
  queries: Queries,
  all: { trace: number; prepared: Prepared }[],
  images: Map<string, number>,
  locations: Map<string, number>,
): Promise<void> {
  const rows = all.flatMap(({ trace, prepared }) => {
    let first = 0;
    return prepared.threads.map(({ id, crashed, frames, ended }, n) => {
      const row = [
        trace,
        n,
        id,
        crashed,
        first,
        arrayText(frames.map((frame) => locations.get(placeOf(frame, prepared, images) ?? '') ?? 0)),
        arrayText(frames.map(({ ip }) => (ip === null ? null : toBigint(BigInt(ip))))),
        arrayText(frames.map(foundOf)),
        ended ? JSON.stringify(ended) : null,
      ] as const;
      first += frames.length;
      return row;
    });
  });
  for (const piece of pieces(rows, 1000))
    await queries.query(
      `INSERT INTO thread (trace, n, tid, crashed, first_index, locations, ips, found, ended)
       SELECT trace, n, tid, crashed, first, locations::int[], ips::bigint[], found::smallint[], ended::jsonb
       FROM unnest($1::int[], $2::int[], $3::bigint[], $4::boolean[], $5::int[], $6::text[], $7::text[], $8::text[], $9::text[])
         AS row (trace, n, tid, crashed, first, locations, ips, found, ended)`,
      [0, 1, 2, 3, 4, 5, 6, 7, 8].map((column) => piece.map((row) => itemAt(row, column))),
    );
}

async function insertImages(
  queries: Queries,
  all: { trace: number; prepared: Prepared }[],
  images: Map<string, number>,
): Promise<void> {
  const rows = all.flatMap(({ trace, prepared: { trace: from, keys } }) => {
    const used = new Set(from.threads.flatMap(({ frames }) => frames.map(({ image }) => image)));
    return from.images.flatMap(({ path, arch, sha256 }, n) =>
      used.has(n)
        ? [[trace, present(images.get(itemAt(keys, n))), plainText(path), arch, sha256] as const]
        : [],
    );
  });
  for (const piece of pieces(rows, PIECE))
    await queries.query(
      `INSERT INTO trace_image (trace, image, path, arch, loaded_sha256)
       SELECT * FROM unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::text[]) ON CONFLICT DO NOTHING`,
      [0, 1, 2, 3, 4].map((column) => piece.map((row) => itemAt(row, column))),
    );
}

async function insertTraces(queries: Queries, prepared: Prepared[]): Promise<Map<string, number>> {
  const columns = [
    prepared.map(({ trace_id }) => trace_id),
    prepared.map(({ trace }) => trace.format),
    prepared.map(({ trace }) => (trace.signal === null ? null : plainText(trace.signal))),
    prepared.map(({ source }) => source),
    prepared.map(({ threads }) => threads.reduce((sum, { frames }) => sum + frames.length, 0)),
    prepared.map(({ trace }) => trace.code ?? null),
    prepared.map(({ trace }) => trace.fault_address ?? null),
  ];
  const rows = await queries.query<{ trace: number; trace_id: string }>(
    `INSERT INTO trace (trace_id, format, signal, source_sha256, frame_count, code, fault_address)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::int[], $7::text[]) AS n (trace_id) ORDER BY n.trace_id
     ON CONFLICT DO NOTHING RETURNING trace, trace_id`,
    columns,
  );
  return new Map(rows.map(({ trace, trace_id }) => [trace_id, trace]));
}

/** Keeps all of these traces in one transaction; each trace that is there already is left as it is. */
export async function addTraces({ database, blobs }: TraceStore, incoming: Incoming[]): Promise<Ingested[]> {
  const all: Prepared[] = [];
  for (const one of incoming) {
    const { images, format } = one.trace;
    const ids = images.map(imageKey);
    all.push({
      ...one,
      // The trace itself is a file, too, under its id: what senders claim of frames is in no table.
      trace_id: await blobs.put(canonicalTrace(one.trace)),
      threads: inOrder(one.trace.threads),
      ids,
      keys: images.map((image, n) => keyOf(itemAt(ids, n), basisOf(image, format))),
    });
  }
  for (const one of all) assertTold(one);
  const unique = [...new Map(all.map((one) => [one.trace_id, one])).values()];
  const fresh = await database.transaction(async (queries) => {
    const numbers = await insertTraces(queries, unique);
    const rows = unique.flatMap((prepared) => {
      const trace = numbers.get(prepared.trace_id);
      return trace === undefined ? [] : [{ trace, prepared }];
    });
    const images = await internImages(
      queries,
      rows.map(({ prepared }) => prepared),
    );
    const wanted = new Set<string>();
    for (const { prepared } of rows)
      for (const { frames } of prepared.threads)
        for (const frame of frames) {
          const place = placeOf(frame, prepared, images);
          if (place !== undefined) wanted.add(place);
        }
    const locations = await internLocations(queries, wanted);
    await insertImages(queries, rows, images);
    await insertThreads(queries, rows, images, locations);
    return new Set(numbers.keys());
  });
  return all.map(({ trace_id, threads }) => ({
    trace_id,
    // The same trace twice in one call is added once.
    added: fresh.delete(trace_id),
    frames: threads.reduce((sum, { frames }) => sum + frames.length, 0),
  }));
}
