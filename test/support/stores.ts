/** Stores of traces on both databases: the embedded one, and a server where npm test has started one. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, describe } from 'vitest';
import type { TraceStore } from '../../src/join/store/store.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { openDatabase } from '../../src/store/sql/open.ts';
import { tempFolder } from './world.ts';

export const SNAPSHOT: string = join(import.meta.dirname, '../../store/empty-pglite.tar.gz');
export const SERVER: string | undefined = process.env.REENACT_TEST_POSTGRES;

/** Where a store is, so that it can be opened twice, and by the command. */
export interface StorePlace {
  folder: string;
  url: string | undefined;
}

const databases: string[] = [];
afterAll(async () => {
  for (const name of databases.splice(0)) await onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
});

/** One statement as the server's own user. */
async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: SERVER! });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** A new, empty database on the server, dropped when the tests of this file are over. */
export async function serverPlace(): Promise<StorePlace> {
  const name = `reenact_test_${randomBytes(8).toString('hex')}`;
  await onServer(`CREATE DATABASE ${name}`);
  databases.push(name);
  return { folder: tempFolder(), url: SERVER!.replace('/postgres?', `/${name}?`) };
}

export async function openStore({ folder, url }: StorePlace): Promise<TraceStore> {
  return { database: await openDatabase(folder, url, SNAPSHOT), blobs: new BlobStore(folder) };
}

/** Where it does not matter which: the server is faster. */
export async function anyPlace(): Promise<StorePlace> {
  return SERVER ? await serverPlace() : { folder: tempFolder(), url: undefined };
}

/** Runs the tests on both; a server that is not there is said, not passed over. */
export function describeStores(name: string, body: (place: () => Promise<StorePlace>) => void): void {
  describe(`${name}, embedded`, () => body(async () => ({ folder: tempFolder(), url: undefined })));
  describeServer(name, () => body(serverPlace));
}

/** Tests that need a server; one that is not there is said, not passed over. */
export function describeServer(name: string, body: () => void): void {
  if (SERVER) describe(`${name}, PostgreSQL`, body);
  else
    describe.skip(`${name}, PostgreSQL (skipped: REENACT_TEST_POSTGRES is not set; npm test sets it)`, body);
}
