#!/usr/bin/env node
/** Writes a store that an older PGlite made as SQL: export-older-store.js PREFIX DATA, where PREFIX is a folder with that PGlite. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [prefix, data] = process.argv.slice(2);
if (!prefix || !data) {
  console.error('usage: export-older-store.js FOLDER_WITH_PGLITE STORE/sql/data > store.sql');
  process.exit(64);
}

/** A package of the folder; undefined where it is not there. */
async function fromPrefix(name) {
  try {
    const found = createRequire(join(resolve(prefix), 'package.json')).resolve(name);
    return await import(pathToFileURL(found.replace(/\.cjs$/, '.js')).href);
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return undefined;
    throw error;
  }
}

const TABLES = `SELECT c.oid::text AS oid, quote_ident(c.relname) AS name,
  (SELECT string_agg(quote_ident(attname) || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute
   WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns,
  (SELECT string_agg('quote_nullable(' || quote_ident(attname) || '::text)', $s$ || ', ' || $s$ ORDER BY attnum) FROM pg_attribute
   WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS row,
  (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
   WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS names
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY c.relname`;

/** Without pg_dump: every table with its rows, and nothing else of the schema. */
async function rowsOf(database) {
  let sql = 'SET session_replication_role = replica;\n';
  for (const { name, columns, row, names } of (await database.query(TABLES)).rows) {
    sql += `CREATE TABLE IF NOT EXISTS ${name} (${columns});\n`;
    const { rows } = await database.query(`SELECT ${row} AS text FROM ${name}`);
    for (const { text } of rows)
      sql += `INSERT INTO ${name} (${names}) OVERRIDING SYSTEM VALUE VALUES (${text});\n`;
  }
  return sql;
}

/** PGlite 0.3 kept its tables in the database template1, later ones in postgres. */
async function openFull(PGlite, dataDir) {
  for (const name of ['postgres', 'template1']) {
    const database = await PGlite.create({ dataDir, database: name });
    if ((await database.query(TABLES)).rows.length > 0) return database;
    await database.close();
  }
  throw new Error(`${data} has no tables`);
}

const pglite = await fromPrefix('@electric-sql/pglite');
if (!pglite) throw new Error(`${prefix} has no @electric-sql/pglite`);
const dump = await fromPrefix('@electric-sql/pglite-tools/pg_dump');
// The folder itself stays as it is: a version that fails in it may leave it unusable.
const aside = await mkdtemp(join(dirname(resolve(data)), 'export-'));
try {
  await cp(data, join(aside, 'data'), { recursive: true });
  const database = await openFull(pglite.PGlite, join(aside, 'data'));
  const sql = dump ? await (await dump.pgDump({ pg: database })).text() : await rowsOf(database);
  // Servers before 17 do not know it.
  process.stdout.write(sql.replace(/^SET transaction_timeout = 0;\n/m, ''));
} finally {
  await rm(aside, { recursive: true, force: true });
}
