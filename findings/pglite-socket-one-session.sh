#!/usr/bin/env bash
# A client of pglite-socket ends, and its named statements, settings and temporary tables are there for the next one.
#
# What:     @electric-sql/pglite-socket 0.2.17 with pglite 0.5.14 (the one it asks for) and pg 8.23.1; two clients, one after
#           the other, each with a connection of its own. The manual says that connections are multiplexed onto one session.
# Expected: a session that begins anew for each client, as PostgreSQL's does, and as poolers make it with DISCARD ALL.
# Seen:     only an open transaction is taken back. The second client of the same program:
#             its first named statement: 42P05 prepared statement "sum" already exists
#             show search_path:          archive              (set by the first client)
#             a temporary table:         there, with the first client's row
# Hurts:    drivers name their statements by a counter or by the text's digest, so that the second start of a program that ran
#           well fails at its first query; one that names nothing writes into another schema than its own, without an error.
. "$(dirname "$0")/common.sh"

npm_packages @electric-sql/pglite@0.5.14 @electric-sql/pglite-socket@0.2.17 pg@8.23.1

cat >"$work/two.mjs" <<'JS'
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import pg from 'pg';

const database = await PGlite.create();
const server = new PGLiteSocketServer({ db: database, host: '127.0.0.1', port: 0 });
await server.start();
const port = Number(server.getServerConn().split(':').pop());

const client = async (use) => {
  const connection = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
  await connection.connect();
  const value = async (query) => {
    try {
      return Object.values((await connection.query(query)).rows[0] ?? {})[0];
    } catch (error) {
      return error.code;
    }
  };
  await use(value);
  await connection.end();
};
const named = { name: 'sum', text: 'select $1::int + 1', values: [1] };

await client(async (value) => {
  console.log(`first: ${await value(named)}, ${await value('show search_path')}`);
  await value('create schema archive');
  await value('set search_path = archive');
  await value('create temporary table scratch as select 7 as number');
});
await client(async (value) => {
  const found = [await value(named), await value('show search_path'), await value('select number from scratch')];
  console.log(`second: ${found.join(', ')}`);
});
await server.stop();
await database.close();
JS
output=$(cd "$work" && node two.mjs)
seen 'one client after the other' "$(paste -sd' ' <<<"$output")" \
  'first: 2, public second: 42P05, archive, 7'
