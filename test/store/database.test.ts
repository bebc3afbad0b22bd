/** The database of the store: created whole, brought up to date once, one writer at a time, and never what a later version wrote. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';

import { findProgram } from '../../setup/packages.ts';
import type { Fault } from '../../src/base/fault.ts';
import type { Database } from '../../src/store/sql/database.ts';
import { openDatabase } from '../../src/store/sql/open.ts';
import { serverFault } from '../../src/store/sql/server-fault.ts';
import {
  describeStores,
  openStore,
  SERVER,
  SNAPSHOT,
  type StorePlace,
  serverPlace,
} from '../support/stores.ts';
import { tempFolder } from '../support/world.ts';

const VIEWS = ['artifacts', 'frames', 'provenance_evidence', 'replays', 'symbol_bundles'];

async function open(place: StorePlace): Promise<Database> {
  return (await openStore(place)).database;
}

/** Every migration, once each. */
const VERSIONS = [{ version: 1 }, { version: 2 }, { version: 3 }, { version: 4 }];

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
  // While it is held, no other process is let in: two would destroy it.
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

it.each([
  [
    '17\n',
    'store_older',
    /PostgreSQL 17, and the PGlite of this program is 18/,
    /npm install .*pglite@0\.4\.6 .*pglite-tools@0\.3\.6 && node '.*bin\/export-older-store\.js' .*> store\.sql/,
  ],
  ['16\n', 'store_older', /PostgreSQL 16/, /pglite@0\.2\.17 && node/],
  ['14\n', 'store_older', /PostgreSQL 14/, /the version of reenact that made it/],
  ['19\n', 'store_newer', /PostgreSQL 19/, /or a later one/],
  ['what', 'store_failed', /no PG_VERSION with a number/, /move that folder away/],
  [undefined, 'store_failed', /no PG_VERSION/, /move that folder away/],
])(
  'an embedded database of version %j is told by its version file, and not touched',
  async (text, code, why, next) => {
    const folder = tempFolder();
    const data = join(folder, 'sql', 'data');
    mkdirSync(data, { recursive: true });
    if (text !== undefined) writeFileSync(join(data, 'PG_VERSION'), text);
    const failure = (await openDatabase(folder, undefined, SNAPSHOT).catch(
      (error: unknown) => error,
    )) as Fault;
    expect(failure).toMatchObject({ code, message: why, next });
    expect(readdirSync(data)).toEqual(text === undefined ? [] : ['PG_VERSION']);
    const script = /node '([^']+)'/.exec(failure.next)?.[1];
    expect(script === undefined || existsSync(script)).toBe(true);
  },
);

it('the script that the message names writes a store as SQL, and leaves it as it is', async () => {
  const folder = tempFolder();
  const database = await openDatabase(folder, undefined, SNAPSHOT);
  await database.query("INSERT INTO image (id) VALUES ('elf:it''s')");
  await database.close();
  const sql = execFileSync(
    process.execPath,
    ['bin/export-older-store.js', process.cwd(), join(folder, 'sql', 'data')],
    { maxBuffer: 1 << 26 },
  ).toString();
  expect(sql).toMatch(/^INSERT INTO image \(.*'elf:it''s'.*\);$/m);
  expect(readdirSync(join(folder, 'sql')).sort()).toEqual(['data', 'lock']);
});

it.each([
  ['42P05', 'prepared statement "x" already exists', 'pool_mode = transaction or session'],
  ['26000', 'prepared statement "x" does not exist', 'pool_mode = transaction or session'],
  ['08P01', 'transaction blocks not allowed in statement pooling mode', 'pool_mode = transaction or session'],
  ['28P01', 'password authentication failed for user "x"', 'see user and password'],
  ['3D000', 'database "x" does not exist', 'createdb'],
  ['42501', 'permission denied for schema public', 'the right to create tables'],
  ['25006', 'cannot execute INSERT in a read-only transaction', 'name the primary server'],
  ['53300', 'too many clients already', 'max_connections'],
  ['ECONNREFUSED', 'connect ECONNREFUSED', 'start the server'],
  ['57P01', 'terminating connection due to administrator command', 'run the same command again'],
  ['XX000', 'something else', 'the server’s own log'],
])('what a server says (%s) comes with what helps', (code, message, next) => {
  const fault = serverFault('db', Object.assign(new Error(message), { code }));
  expect(fault).toMatchObject({
    code: 'store_failed',
    message: `the database db failed (${code}): ${message}`,
  });
  expect(fault.next).toContain(next);
});

const PGBOUNCER = findProgram('pgbouncer');
const POOLED = SERVER && PGBOUNCER ? it : it.skip;
POOLED(
  `behind a pooler no statement is named${PGBOUNCER ? '' : ' (skipped: pgbouncer is not installed)'}`,
  async () => {
    const place = await serverPlace();
    const { searchParams, pathname } = new URL(place.url!);
    const folder = tempFolder();
    chmodSync(folder, 0o755);
    const port = 20_000 + Math.floor(Math.random() * 20_000);
    const settings = (mode: string): string =>
      `[databases]\n* = host=${searchParams.get('host')} port=${searchParams.get('port') ?? 5432} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${port}\nauth_type = any\npool_mode = ${mode}\ndefault_pool_size = 2\nunix_socket_dir =\n`;
    for (const mode of ['transaction', 'statement']) {
      writeFileSync(join(folder, 'pool.ini'), settings(mode));
      const as = process.getuid?.() === 0 ? ['-u', 'postgres'] : [];
      const pooler = spawn(PGBOUNCER!, ['-q', ...as, join(folder, 'pool.ini')], { stdio: 'ignore' });
      try {
        const url = `postgresql://postgres@127.0.0.1:${port}${pathname}`;
        const opening = async (): Promise<Database> => {
          for (let tries = 0; ; tries++)
            try {
              return await openDatabase(folder, url, '');
            } catch (error) {
              if (tries === 50 || !/ECONNREFUSED/.test(String(error))) throw error;
              await new Promise((resolve) => setTimeout(resolve, 100));
            }
        };
        if (mode === 'transaction')
          for (const id of ['elf:a1', 'elf:a2', 'elf:a3']) {
            const [one, other] = [await opening(), await opening()];
            for (const database of [one, other])
              await database.query('INSERT INTO image (id) VALUES ($1)', [
                `${id}${database === one ? 0 : 1}`,
              ]);
            await Promise.all([one.close(), other.close()]);
          }
        else {
          const database = await opening();
          await expect(database.transaction(async () => undefined)).rejects.toMatchObject({
            message: /08P01/,
            next: /pool_mode = transaction or session/,
          });
          await database.close();
        }
      } finally {
        pooler.kill();
        await once(pooler, 'exit');
      }
    }
  },
);
