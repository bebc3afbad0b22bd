/** Writers that meet, and a server that goes away: each trace whole, each place once, nothing half-written. */
import { expect, it, onTestFinished } from 'vitest';

import { addTraces } from '../../../src/join/store/ingest.ts';
import type { TraceStore } from '../../../src/join/store/store.ts';
import { frameAt, imageNamed, incoming, traceOf } from '../../support/crashes.ts';
import { describeServer, openStore, serverPlace } from '../../support/stores.ts';

const images = [imageNamed('a'), imageNamed('b'), imageNamed('c')];

/** Traces whose places and images are met in another order each, many of them by several writers. */
function traces(writer: number): ReturnType<typeof incoming>[] {
  return Array.from({ length: 60 }, (_, n) => {
    const frames = Array.from({ length: 30 }, (_, k) =>
      frameAt((k * (writer + 1) + n) % 3, ((k * 7919 * (n + 1)) % 400) + 1),
    );
    return incoming(traceOf(images, frames, { signal: `${writer % 2}-${n}` }));
  });
}

describeServer('writers', () => {
  it('four at once neither wait for each other for ever nor keep anything twice', async () => {
    const place = await serverPlace();
    const stores: TraceStore[] = [];
    for (let n = 0; n < 4; n++) stores.push(await openStore(place));
    onTestFinished(async () => {
      for (const { database } of stores) await database.close();
    });
    const all = await Promise.all(
      stores.map(async (store, writer) => {
        const added = [];
        for (let at = 0; at < 60; at += 20)
          added.push(...(await addTraces(store, traces(writer).slice(at, at + 20))));
        return added;
      }),
    );
    const [counts] = await stores[0]!.database.query<Record<string, number>>(
      `SELECT (SELECT count(*)::int FROM trace) AS traces, (SELECT count(*)::int FROM thread) AS threads,
         (SELECT count(*)::int FROM location) AS places, (SELECT count(*)::int FROM image) AS images,
         (SELECT count(*)::int FROM (SELECT DISTINCT unnest(locations) FROM thread) u) AS seen`,
    );
    const ids = new Set(all.flat().map(({ trace_id }) => trace_id));
    expect(counts).toEqual({
      traces: ids.size,
      threads: ids.size,
      places: counts!.seen,
      images: 3,
      seen: counts!.seen,
    });
    expect(all.flat().filter(({ added }) => added)).toHaveLength(ids.size);
  });

  it('a connection that the server ends in the middle leaves nothing behind, and is named', async () => {
    const place = await serverPlace();
    const store = await openStore(place);
    const other = await openStore(place);
    onTestFinished(async () => {
      await other.database.close();
      await store.database.close().catch(() => undefined);
    });
    const [{ pid }] = (await store.database.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')) as [
      { pid: number },
    ];
    const failing: TraceStore = {
      ...store,
      database: {
        ...store.database,
        transaction: (work) =>
          store.database.transaction((queries) =>
            work({
              query: async (sql, parameters) => {
                if (sql.includes('INSERT INTO thread'))
                  await other.database.query('SELECT pg_terminate_backend($1)', [pid]);
                return await queries.query(sql, parameters);
              },
            }),
          ),
      },
    };
    await expect(addTraces(failing, traces(0))).rejects.toMatchObject({ code: 'store_failed' });
    const [counts] = await other.database.query<Record<string, number>>(
      `SELECT (SELECT count(*)::int FROM trace) AS traces, (SELECT count(*)::int FROM location) AS places,
         (SELECT count(*)::int FROM image) AS images`,
    );
    expect(counts).toEqual({ traces: 0, places: 0, images: 0 });
  });
});
