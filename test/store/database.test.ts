/** The database of the store: created whole, brought up to date once, one writer at a time, and never what a later version wrote. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';

import type { Database } from '../../src/store/sql/database.ts';
import { openDatabase } from '../../src/store/sql/open.ts';
import { describeStores, openStore, type StorePlace } from '../support/stores.ts';
import { tempFolder } from '../support/world.ts';

const VIEWS = ['artifacts', 'frames', 'provenance_evidence', 'replays', 'symbol_bundles'];

async function open(place: StorePlace): Promise<Database> {
  return (await openStore(place)).database;
}

/** Every migration, once each. */
const VERSIONS = [{ version: 1 }, { version: 2 }, { version: 3 }];

describeStores('the database', (newPlace) => {
  let place: StorePlace;
  beforeAll(async () => {
    place = await newPlace();
    await (await open(place)).close();
  });

  it('has the views that the published query names', async () => {
    const database = await open(place);
    try {
      const rows = await database.query<{ name: string }>(
        "SELECT table_name AS name FROM information_schema.views WHERE table_schema = 'public' ORDER BY 1",
      );
      expect(rows.map(({ name }) => name)).toEqual(VIEWS);
    } finally {
      await database.close();
    }
  });

  it('keeps a transaction whole or not at all', async () => {
    const database = await open(place);
    try {
      const failing = database.transaction(async (queries) => {
        await queries.query("INSERT INTO image (id) VALUES ('elf:aa')");
        await queries.query('SELECT 1 / 0');
      });
      await expect(failing).rejects.toThrow(/zero/);
      expect(await database.query('SELECT FROM image')).toEqual([]);
    } finally {
      await database.close();
    }
  });

  it('refuses what a later version wrote, and says so', async () => {
    const other = await newPlace();
    const database = await open(other);
    await database.query('INSERT INTO schema_version (version) VALUES (9999)');
    await database.close();
    await expect(open(other)).rejects.toMatchObject({ code: 'store_newer', message: /9999/ });
  });

  it('is brought up to date once when several begin at the same time', async () => {
    const other = await newPlace();
    const all = await Promise.all(
      [1, 2, 3].map(async () => {
        const database = await open(other);
        const rows = await database.query('SELECT version FROM schema_version');
        await database.close();
        return rows;
      }),
    );
    expect(all).toEqual(Array(3).fill(VERSIONS));
  });
});

it('an embedded database that was half made is made anew', async () => {
  const folder = tempFolder();
  mkdirSync(join(folder, 'sql', 'data.new', 'base'), { recursive: true });
  const database = await openDatabase(folder, undefined, join(folder, 'no snapshot'));
  expect(await database.query('SELECT version FROM schema_version')).toEqual(VERSIONS);
  await database.close();
  expect(readdirSync(join(folder, 'sql')).filter((name) => name.includes('new'))).toEqual([]);
});

it('a holder that is killed lets the folder go, and what it had committed is there', async () => {
  const folder = tempFolder();
  const script = `
    const { openDatabase } = await import(${JSON.stringify(join(process.cwd(), 'src/store/sql/open.ts'))});
    const database = await openDatabase(${JSON.stringify(folder)}, undefined, ${JSON.stringify(join(process.cwd(), 'store/empty-pglite.tar.gz'))});
    await database.query("INSERT INTO image (id) VALUES ('elf:aa')");
    console.log('open');
    await new Promise((resolve) => setTimeout(resolve, 60_000));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  let opened = false;
  const second = openDatabase(folder, undefined, '').then((database) => {
    opened = true;
    return database;
  });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  // While it is held, nobody else is let in: two would destroy it.
  expect(opened).toBe(false);
  child.kill('SIGKILL');
  const database = await second;
  expect(await database.query('SELECT id FROM image')).toEqual([{ id: 'elf:aa' }]);
  await database.close();
});

it('a server that cannot be reached is named, without its password', async () => {
  const url = 'postgresql://somebody:secret@127.0.0.1:9/reenact';
  const failure = await openDatabase(tempFolder(), url, '').catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'store_failed', message: /127\.0\.0\.1:9\/reenact.*ECONNREFUSED/ });
  expect(String(failure)).not.toContain('secret');
});
