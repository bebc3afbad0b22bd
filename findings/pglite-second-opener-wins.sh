#!/usr/bin/env bash
# Two PGlite databases opened on one folder both acknowledge their commits, and one of the two is gone afterwards.
#
# What:     @electric-sql/pglite 0.5.16 on Node, a folder as store.
# Expected: the second is refused, as PostgreSQL does by postmaster.pid ("lock file already exists"), or both rows are there.
# Seen:     both open and read, both inserts return, both close without a word; opened again, the first row is missing:
#             a sees: a    b sees: b    afterwards: b
# Hurts:    an embedded ledger, queue or test cache that two workers open by chance loses entries whose commit was
#           acknowledged, and nothing in the folder or in an error says so. Take a lock file of your own first.
. "$(dirname "$0")/common.sh"

npm_packages @electric-sql/pglite@0.5.16

cat >"$work/two.mjs" <<'JS'
import { PGlite } from '@electric-sql/pglite';

const entries = async (database) =>
  (await database.query('select entry from ledger order by 1')).rows.map((row) => row.entry).join(' ');
const open = async () => {
  const database = new PGlite('./ledger');
  await database.exec('create table if not exists ledger (entry text)');
  await entries(database);
  return database;
};

await (await open()).close();
const a = await open();
const b = await open();
await a.query("insert into ledger values ('a')");
await b.query("insert into ledger values ('b')");
const seen = [await entries(a), await entries(b)];
await a.close();
await b.close();
const after = await open();
console.log(`a sees: ${seen[0]}, b sees: ${seen[1]}, afterwards: ${await entries(after)}`);
await after.close();
JS
seen 'two on one folder' "$(cd "$work" && node two.mjs)" 'a sees: a, b sees: b, afterwards: b'
