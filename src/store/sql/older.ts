/** Folders of the embedded database that another PostgreSQL made, known by their version file: PGlite would only say that it failed. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { Fault } from '../../base/fault.ts';

/** The major version of PostgreSQL in our PGlite, which opens no folder of another one. */
const EMBEDDED = 18;
/** The last PGlite of each earlier one, with its pg_dump where it has one. */
const PGLITES: Readonly<Record<number, string>> = {
  16: '@electric-sql/pglite@0.2.17',
  17: '@electric-sql/pglite@0.4.6 @electric-sql/pglite-tools@0.3.6',
};

function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`;
}

/** Throws a Fault that names the version and how to take the data out, before anything in the folder is opened. */
export function assertOurVersion(data: string, snapshot: string): void {
  const path = join(data, 'PG_VERSION');
  const text = existsSync(path) ? readFileSync(path, 'latin1').slice(0, 100).trim() : '';
  if (text === String(EMBEDDED)) return;
  if (!/^\d{1,3}$/.test(text))
    throw new Fault(
      'store_failed',
      `${data} is no database of PostgreSQL: it has no PG_VERSION with a number in it`,
      undefined,
      'move that folder away, or name another store: --store',
    );
  const made = `${data} was made by PostgreSQL ${text}, and the PGlite of this program is ${EMBEDDED}`;
  if (Number(text) > EMBEDDED) throw new Fault('store_newer', made);
  const packages = PGLITES[Number(text)];
  const aside = resolve(dirname(data), `pglite-${text}`);
  const script = resolve(dirname(snapshot), '../bin/export-older-store.js');
  const command = `npm install --legacy-peer-deps --prefix ${quoted(aside)} ${packages} && node ${quoted(script)} ${quoted(aside)} ${quoted(resolve(data))} > store.sql`;
  throw new Fault(
    'store_older',
    made,
    undefined,
    packages
      ? `export it, load store.sql into a server by psql and name that by REENACT_DATABASE_URL, or name another store (--store):\n    ${command}`
      : undefined,
  );
}
