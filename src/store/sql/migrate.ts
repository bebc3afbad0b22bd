/** Brings a database to the form this version knows: numbered steps, forward only, safe when two processes begin at once. */

import { Fault } from '../../base/fault.ts';
import { itemAt, present } from '../../base/list.ts';
import type { Database, Queries } from './database.ts';
import { TRACES } from './migrations/0001-traces.ts';
import { BASES } from './migrations/0002-bases.ts';
import { COMPANIONS } from './migrations/0003-companions.ts';
import { WALKS } from './migrations/0004-walks.ts';

/** In the order of their numbers, from 1; a released one is never changed. */
const MIGRATIONS: readonly string[] = [TRACES, BASES, COMPANIONS, WALKS];

/** Any number will do, as long as all versions of this program use the same. */
const LOCK = 7_306_365_291;

async function versionOf(queries: Queries): Promise<number> {
  // Not to_regclass: within a transaction it may answer from before another process's commit.
  const [found] = await queries.query<{ there: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
       WHERE relname = 'schema_version' AND n.nspname = current_schema()) AS there`,
  );
  if (!found?.there) return 0;
  const [row] = await queries.query<{ version: number }>(
    'SELECT max(version) AS version FROM schema_version',
  );
  return row?.version ?? 0;
}

/** Tables of another program must not be changed. */
async function assertOurs(queries: Queries, name: string): Promise<void> {
  const rows = await queries.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
     WHERE n.nspname = current_schema() AND relkind IN ('r', 'v', 'p') LIMIT 1`,
  );
  if (rows.length > 0)
    throw new Fault(
      'store_failed',
      `${name} holds the table ${itemAt(rows, 0).name} and is no store of ours: give the store a database of its own`,
    );
}

/** Throws a Fault of `store_newer` where a later version of this program has been. */
export async function migrate(database: Database): Promise<void> {
  const newest = MIGRATIONS.length;
  const behind = async (queries: Queries): Promise<number> => {
    const version = await versionOf(queries);
    if (version > newest)
      throw new Fault(
        'store_newer',
        `the store in ${database.name} has version ${version}, and this program knows ${newest}`,
      );
    return version;
  };
  if ((await behind(database)) === newest) return;
  await database.transaction(async (queries) => {
    await queries.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
    // Checked again: another process may have been first.
    const known = await behind(queries);
    if (known === 0) await assertOurs(queries, database.name);
    for (let version = known + 1; version <= newest; version++) {
      for (const statement of present(MIGRATIONS[version - 1]).split(';\n'))
        if (statement.trim() !== '') await queries.query(statement);
      await queries.query('INSERT INTO schema_version (version) VALUES ($1)', [version]);
    }
  });
}
