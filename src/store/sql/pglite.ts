/** The embedded database: PostgreSQL compiled to WebAssembly, in a folder that one process at a time has open. */

import { existsSync, openAsBlob, readFileSync, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PGlite, type Transaction } from '@electric-sql/pglite';
import { sleep } from '../../base/clock.ts';
import { asFault, Fault } from '../../base/fault.ts';
import { makeFolder } from '../../base/files.ts';
import { memberOf } from '../../base/json.ts';
import { Patience, Unanswered, type Waiting } from '../../base/patience.ts';
import type { Database, Parameter, Queries } from './database.ts';
import { assertOurVersion } from './older.ts';
import { isDatabaseIn, snapshotOf } from './permission.ts';

const LOOK_AGAIN_MS = 50;

/** An embedded database has no server whose log could be read. */
function embeddedFault(folder: string, error: unknown): Fault {
  const { code, message } = asFault('store_failed', `the database in ${folder} failed`, error);
  if (error instanceof Fault || code !== 'store_failed') return asFault(code, message, error);
  const next = 'see that the folder can be written and is whole, or name another store: --store';
  return new Fault(code, message, error, next);
}

/** The lock of a file that SQLite takes: the kernel releases it when its holder ends, however that happens. */
function tryLock(path: string): DatabaseSync | undefined {
  const file = new DatabaseSync(path);
  try {
    file.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return file;
  } catch (error) {
    file.close();
    if (memberOf(error, 'errstr') === 'database is locked') return undefined;
    throw error;
  }
}

/** Which process has the lock, where the kernel says so (proc_locks(5)). */
function holderOf(path: string): string {
  try {
    const { ino } = statSync(path);
    const found = readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .map((line) => / WRITE (\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /.exec(line))
      .find((line) => line?.[2] === String(ino));
    if (found) return `process ${found[1]}`;
  } catch {
    // Only a name is missing.
  }
  return 'another process';
}

/** PGlite has no lock of its own: two processes in one folder would destroy it. */
async function lock(folder: string, path: string, waiting: Waiting): Promise<DatabaseSync> {
  const first = tryLock(path);
  if (first) return first;
  const holder = holderOf(path);
  const patience = new Patience({ name: 'the store', address: folder }, waiting);
  const what = `be closed by ${holder}`;
  const { busyMs: quietMs } = patience.limits;
  try {
    return await patience.wait({ what, quietMs }, async ({ signal }) => {
      for (;;) {
        await sleep(LOOK_AGAIN_MS, signal);
        const held = tryLock(path);
        if (held) return held;
      }
    });
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
    const next = `wait for ${holder}, end it if it hangs, or use a server: REENACT_DATABASE_URL`;
    const text = `${folder} has been in use by ${holder} for ${quietMs / 1000} s`;
    throw new Fault('store_busy', text, error, next);
  }
}

/** Creating a database takes many seconds, filling a folder from a prepared snapshot one; half a folder is never taken for a whole one. */
async function create(data: string, snapshot: string): Promise<void> {
  const aside = `${data}.new`;
  await rm(aside, { recursive: true, force: true });
  const loadDataDir = existsSync(snapshot) ? await openAsBlob(snapshot) : undefined;
  const made = await PGlite.create({ dataDir: aside, ...(loadDataDir ? { loadDataDir } : {}) });
  await made.close();
  await rename(aside, data);
}

function queriesOf(on: PGlite | Transaction): Queries {
  return {
    query: async <Row extends object>(sql: string, parameters: readonly Parameter[] = []) =>
      (await on.query<Row>(sql, [...parameters])).rows,
  };
}

/** Opens the database in `folder`, creating it where there is none; `snapshot` is an empty one, prepared by set-up.
 * A folder that may only be read is read from a copy, which is removed when it is closed. */
export async function openEmbedded(
  folder: string,
  snapshot: string,
  work: 'make' | 'read' = 'make',
  waiting: Waiting = {},
): Promise<Database> {
  try {
    const copy = isDatabaseIn(dirname(folder)) ? await snapshotOf(folder, work) : undefined;
    if (!copy) return await openLocked(folder, snapshot, waiting);
    try {
      const database = await openLocked(copy.folder, snapshot, waiting);
      return { ...database, name: folder, close: () => database.close().finally(copy.remove) };
    } catch (error) {
      await copy.remove();
      throw error;
    }
  } catch (error) {
    throw embeddedFault(folder, error);
  }
}

async function openLocked(folder: string, snapshot: string, waiting: Waiting): Promise<Database> {
  await makeFolder(folder);
  const held = await lock(folder, join(folder, 'lock'), waiting);
  try {
    const data = join(folder, 'data');
    if (existsSync(data)) assertOurVersion(data, snapshot);
    else await create(data, snapshot);
    const database = await PGlite.create({ dataDir: data });
    return {
      ...queriesOf(database),
      name: folder,
      transaction: (work) => database.transaction((queries) => work(queriesOf(queries))) as Promise<never>,
      async close() {
        await database.close();
        held.close();
      },
    };
  } catch (error) {
    held.close();
    throw error;
  }
}

/** The bytes of an empty database, for `openEmbedded` to begin with. */
export async function emptySnapshot(): Promise<Uint8Array> {
  const database = await PGlite.create();
  try {
    return new Uint8Array(await (await database.dumpDataDir('gzip')).arrayBuffer());
  } finally {
    await database.close();
  }
}
