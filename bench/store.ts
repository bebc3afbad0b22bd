/** The store on a PostgreSQL server: taking traces in, judging one among many, and symbols that come late. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { systemClock } from '../src/base/clock.ts';
import type { Digest } from '../src/base/digest.ts';
import { hex } from '../src/base/hex.ts';
import { addTraces } from '../src/join/store/ingest.ts';
import { joinFrames } from '../src/join/store/join.ts';
import { resolveImages, type Symbolizer } from '../src/join/store/resolve.ts';
import type { TraceStore } from '../src/join/store/store.ts';
import { BlobStore } from '../src/store/blobs.ts';
import type { Queries } from '../src/store/sql/database.ts';
import { openDatabase } from '../src/store/sql/open.ts';
import { openServer } from '../src/store/sql/postgres.ts';
import { type Frame, type Trace, traceImage } from '../src/trace/model/trace.ts';
import { GATED_FRAMES, judgeJoins } from '../src/verdict/custody.ts';

const TRACES = 20_000;
const FRAMES = 50;
const BATCH = 200;
const IMAGES = 10;
/** Places in each image: programs crash in some of their functions. */
const PLACES = 2000;
const ASKED = 200;
const SOURCE = `sha256:${'0'.repeat(64)}` as Digest;
const TABLES = ['trace', 'trace_image', 'thread', 'location', 'image'];

/** The same numbers in every run. */
function numbers(): (below: number) => number {
  let state = 0x2545f491;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const images = Array.from({ length: IMAGES }, (_, n) =>
  traceImage({
    id: `elf:${hex(n + 1)
      .slice(2)
      .padStart(40, 'a')}`,
    path: `/usr/lib/lib${n}.so`,
    arch: 'x86_64',
  }),
);

function traceOf(below: (n: number) => number, id: number): Trace {
  const used = Array.from({ length: 5 }, () => below(IMAGES));
  const frames = Array.from({ length: FRAMES }, (_, n): Frame => {
    const offset = 0x1000 + 16 * below(PLACES);
    const ip = hex(0x7f0000000000 + offset);
    return {
      ...{ image: used[n % used.length]!, rel_addr: hex(offset), ip },
      ...{ activation: n === 0, trust: 'cfi', claimed: null },
    };
  });
  return { format: 'native', signal: 'SIGSEGV', images, threads: [{ id, crashed: true, frames }] };
}

async function ingest(store: TraceStore): Promise<number> {
  const below = numbers();
  const began = systemClock.monotonicMs();
  for (let at = 0; at < TRACES; at += BATCH)
    await addTraces(
      store,
      Array.from({ length: BATCH }, (_, n) => ({ trace: traceOf(below, at + n), source: SOURCE })),
    );
  return (TRACES * FRAMES * 1000) / (systemClock.monotonicMs() - began);
}

async function bytesPerFrame(queries: Queries): Promise<number> {
  const [row] = await queries.query<{ bytes: string }>(
    `SELECT sum(pg_total_relation_size(t::regclass))::text AS bytes FROM unnest($1::text[]) t`,
    [TABLES],
  );
  return Number(row!.bytes) / (TRACES * FRAMES);
}

/** Median time of reading and judging one trace, in milliseconds. */
async function gateMs(store: TraceStore): Promise<number> {
  const rows = await store.database.query<{ trace_id: Digest }>(
    'SELECT trace_id FROM trace ORDER BY md5(trace_id) LIMIT $1',
    [ASKED],
  );
  const took: number[] = [];
  for (const { trace_id } of rows) {
    const began = systemClock.monotonicMs();
    const frames = await joinFrames(store.database, trace_id, GATED_FRAMES);
    judgeJoins(
      frames.map(({ index, gap }) => ({ index, gap, vouched: [] })),
      {},
    );
    took.push(systemClock.monotonicMs() - began);
  }
  return took.sort((a, b) => a - b)[took.length >> 1]!;
}

/** Copies of the traces that are there, under other ids: what is measured is reading among them. */
async function multiply(queries: Queries, times: number): Promise<void> {
  for (let n = 1; n < times; n++) {
    await queries.query(
      `WITH made AS (INSERT INTO trace (trace_id, format, signal, source_sha256, frame_count)
         SELECT trace_id || '-' || $1, format, signal, source_sha256, frame_count FROM trace WHERE length(trace_id) = 71
         RETURNING trace, trace_id)
       INSERT INTO thread SELECT made.trace, h.n, tid, crashed, first_index, locations, ips, found
       FROM made JOIN trace t ON made.trace_id = t.trace_id || '-' || $1 JOIN thread h ON h.trace = t.trace`,
      [String(n)],
    );
  }
  await queries.query('ANALYZE');
}

/** The digest of an image's symbols in SQL: of its number, whose bytes stand in the store in place of a symbol file. */
const SYMBOLS_OF = `'sha256:' || encode(sha256(image::text::bytea), 'hex')`;

/** Symbols, artifacts and their evidence for all images but the first, so that judging has all to read that it reads in use. */
async function proveImages({ database, blobs }: TraceStore): Promise<number[]> {
  const steps = [
    `INSERT INTO artifact (sha256, kind, name, size_bytes, build)
     SELECT 'sha256:a' || image, 'file', id, 1, '{}' FROM image WHERE image > 1`,
    `INSERT INTO image_artifact SELECT image, artifact FROM image JOIN artifact ON name = id`,
    `INSERT INTO bundle (sha256, file_sha256, image, format, arch, name, features, quality, lacks, build)
     SELECT ${SYMBOLS_OF}, ${SYMBOLS_OF}, image, 'elf', 'x86_64', id, '{}', 5, '{}', '{}' FROM image WHERE image > 1`,
    `INSERT INTO evidence (subject_sha256, about, envelope_sha256, files, policy_sha256, verified, signers, build, record_sha256)
     SELECT sha256, CASE WHEN sha256 LIKE 'sha256:a%' THEN 'artifact' ELSE 'symbols' END, 'e' || sha256, '{}', 'p', true,
       '[{"authority": "team"}]', '{}', 'r' FROM (SELECT sha256 FROM artifact UNION SELECT sha256 FROM bundle) s`,
    `INSERT INTO artifact_evidence SELECT artifact, evidence, 0 FROM artifact JOIN evidence ON subject_sha256 = sha256`,
  ];
  for (const step of steps) await database.query(step);
  const rows = await database.query<{ image: number }>('SELECT image FROM image WHERE image > 1');
  for (const { image } of rows) await blobs.put(String(image));
  return rows.map(({ image }) => image);
}

/** Names each address after itself: the engine's own time is another row's. */
const engine: Symbolizer = {
  engine: async () => 'bench',
  symbolize: async (_file, addresses) =>
    addresses.map((address) => ({
      places: [{ function: `f_${hex(address)}`, file: '/src/a.c', line: 1, column: 1 }],
      ...{ degraded: false, error: null, approximate: null },
    })),
};

/** Symbols for one image, after all traces are there: how many frames saw it, how many places are touched, how long. */
async function lateSymbols(store: TraceStore): Promise<{ frames: number; places: number; ms: number }> {
  const { database } = store;
  const [image] = await database.query<{ image: number; frames: number }>(
    `SELECT l.image, count(*)::int AS frames FROM thread h CROSS JOIN unnest(h.locations) u (location)
     JOIN location l USING (location) JOIN trace t ON t.trace = h.trace
     WHERE length(t.trace_id) = 71 AND l.image = 1 GROUP BY l.image`,
  );
  await database.query(
    `INSERT INTO bundle (sha256, file_sha256, image, format, arch, name, features, quality, lacks, build)
     VALUES ($2, $2, $1, 'elf', 'x86_64', 'late', '{}', 5, '{}', '{}')`,
    [image!.image, await store.blobs.put('late')],
  );
  const began = systemClock.monotonicMs();
  const places = await resolveImages(store, engine, [image!.image]);
  return { frames: image!.frames, places, ms: systemClock.monotonicMs() - began };
}

function row(label: string, value: string, aim: string): string {
  return `  ${label.padEnd(44)}${value.padStart(12)}  (aim ${aim})\n`;
}

/** Prints the store's rows; `url` is a server whose user may create databases. */
export async function benchStore(url: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'reenact-bench-'));
  const server = await openServer(url);
  const name = `reenact_bench_${process.pid}`;
  await server.query(`CREATE DATABASE ${name}`);
  const database = await openDatabase(folder, url.replace('/postgres?', `/${name}?`), '');
  const store: TraceStore = { database, blobs: new BlobStore(folder) };
  try {
    process.stdout.write(`${TRACES} traces of ${FRAMES} frames, ${IMAGES} images, PostgreSQL\n`);
    const rate = await ingest(store);
    process.stdout.write(row('taken in, frames a second', rate.toFixed(0), '>= 20000'));
    process.stdout.write(
      row('bytes a frame, with indexes', (await bytesPerFrame(database)).toFixed(1), '<= 110'),
    );
    await resolveImages(store, engine, await proveImages(store));
    await database.query('ANALYZE');
    process.stdout.write(row('gate of one among 10^6 frames, ms', (await gateMs(store)).toFixed(1), '<= 5'));
    await multiply(database, 10);
    process.stdout.write(row('gate of one among 10^7 frames, ms', (await gateMs(store)).toFixed(1), '<= 5'));
    const late = await lateSymbols(store);
    process.stdout.write(
      row(`late symbols: ${late.frames} frames, ${late.places} places, ms`, late.ms.toFixed(0), '<= 100'),
    );
  } finally {
    await database.close();
    await server.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
