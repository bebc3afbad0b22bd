/** Traces in the store: whole or not at all, each once, each place once, frames in their places. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addTraces } from '../../../src/join/store/ingest.ts';
import { findTrace, joinFrames } from '../../../src/join/store/join.ts';
import type { TraceStore } from '../../../src/join/store/store.ts';
import type { Queries } from '../../../src/store/sql/database.ts';
import { frameAt, imageNamed, incoming, traceOf } from '../../support/crashes.ts';
import { describeStores, openStore, type StorePlace } from '../../support/stores.ts';

const images = [imageNamed('a'), imageNamed('b', { sha256: `sha256:${'b'.repeat(64)}` as never })];
const trace = traceOf(images, [
  frameAt(0, 0x20, { activation: true, trust: 'context' }),
  frameAt(1, 0x30),
  frameAt(null, 0, { ip: '0xffffffff81000000', trust: 'scan' }),
  frameAt(0, 0x20),
]);

const TABLES = ['trace', 'image', 'location', 'thread'];

async function counts(queries: Queries): Promise<number[]> {
  const found: number[] = [];
  for (const table of TABLES) found.push(await count(queries, table));
  return found;
}

async function count(queries: Queries, table: string): Promise<number> {
  return (await queries.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`))[0]!.n;
}

describeStores('taking traces in', (newPlace) => {
  let place: StorePlace;
  let store: TraceStore;
  beforeAll(async () => {
    place = await newPlace();
    store = await openStore(place);
  });
  afterAll(() => store.database.close());

  it('keeps every frame in its place, addresses of 64 bits whole', async () => {
    const [added] = await addTraces(store, [incoming(trace)]);
    expect(added).toMatchObject({ added: true, frames: 4 });
    const frames = await joinFrames(store.database, added!.trace_id);
    expect(
      frames.map(({ index, ip, image_id, rel_addr, activation, trust }) => [
        index,
        ip,
        image_id,
        rel_addr,
        activation,
        trust,
      ]),
    ).toEqual([
      [0, '0x1020', images[0]!.id, '0x20', true, 'context'],
      [1, '0x1030', images[1]!.id, '0x30', false, 'cfi'],
      [2, '0xffffffff81000000', null, null, false, 'scan'],
      [3, '0x1020', images[0]!.id, '0x20', false, 'cfi'],
    ]);
    expect(frames.map(({ gap }) => gap)).toEqual([
      'bundle_missing',
      'bundle_missing',
      'no_module',
      'bundle_missing',
    ]);
    expect(frames[1]).toMatchObject({ image_path: '/bin/b', loaded_sha256: images[1]!.sha256 });
  });

  it('knows a trace again, in the same call and in a later one', async () => {
    const other = traceOf(images, [frameAt(0, 0x99)]);
    const again = await addTraces(store, [incoming(trace), incoming(other), incoming(other)]);
    expect(again.map(({ added }) => added)).toEqual([false, true, false]);
    expect(await count(store.database, 'trace')).toBe(2);
  });

  it('keeps a place once, however often it is seen; a return address is looked up a byte before', async () => {
    const rows = await store.database.query(
      'SELECT addr::int FROM location JOIN image USING (image) WHERE id = $1 ORDER BY addr',
      [images[0]!.id],
    );
    expect(rows).toEqual([{ addr: 0x1f }, { addr: 0x20 }, { addr: 0x98 }]);
  });

  it('puts the thread that crashed first', async () => {
    const frames = [frameAt(0, 0x40)];
    const threads = [
      { id: 7, crashed: false, frames },
      { id: 9, crashed: true, frames: [frameAt(1, 0x50), ...frames] },
    ];
    const [added] = await addTraces(store, [incoming(traceOf(images, [], { threads }))]);
    const rows = await store.database.query(
      'SELECT frame_index, thread, tid::int, rel_addr FROM frames WHERE trace_id = $1 ORDER BY frame_index',
      [added!.trace_id],
    );
    expect(rows).toEqual([
      { frame_index: 0, thread: 0, tid: 9, rel_addr: '0x50' },
      { frame_index: 1, thread: 0, tid: 9, rel_addr: '0x40' },
      { frame_index: 2, thread: 1, tid: 7, rel_addr: '0x40' },
    ]);
  });

  it('keeps nothing of a batch that fails in the middle', async () => {
    const before = await counts(store.database);
    const fresh = traceOf([imageNamed('c')], [frameAt(0, 0x1)]);
    const failing: TraceStore = {
      ...store,
      database: {
        ...store.database,
        transaction: (work) =>
          store.database.transaction((queries) =>
            work({
              query: async (sql, parameters) => {
                if (sql.includes('INSERT INTO thread')) throw new Error('the connection was lost');
                return await queries.query(sql, parameters);
              },
            }),
          ),
      },
    };
    await expect(addTraces(failing, [incoming(fresh)])).rejects.toThrow('lost');
    expect(await counts(store.database)).toEqual(before);
  });

  it('takes as many frames of one trace as there may be', { timeout: 300_000 }, async () => {
    // A million on the server; the embedded one takes a fifth in the same time.
    const count = place.url === undefined ? 200_000 : 1_000_000;
    const frames = Array.from({ length: count }, (_, n) => frameAt(n % 2, 0x100 + (n % 30_000)));
    const [added] = await addTraces(store, [incoming(traceOf(images, frames))]);
    expect(added).toMatchObject({ added: true, frames: count });
    const first = await joinFrames(store.database, added!.trace_id, 50);
    expect(first.map(({ rel_addr }) => rel_addr)).toEqual(
      frames.slice(0, 50).map(({ rel_addr }) => rel_addr),
    );
  });

  it('finds a trace by the beginning of its id, and says when there is none or more than one', async () => {
    const { trace_id } = (await addTraces(store, [incoming(trace)]))[0]!;
    expect(await findTrace(store.database, trace_id)).toMatchObject({ format: 'native', signal: 'SIGSEGV' });
    expect((await findTrace(store.database, trace_id.slice(7, 20))).trace_id).toBe(trace_id);
    await expect(findTrace(store.database, 'sha256:000000')).rejects.toMatchObject({ code: 'store_unknown' });
    await expect(findTrace(store.database, "' OR 1")).rejects.toMatchObject({ code: 'usage' });
  });
});
