/** Opens the store's database: the server that the environment names, else the one embedded in the store's folder. */
import { join } from 'node:path';

import type { Waiting } from '../../base/patience.ts';
import type { Database } from './database.ts';
import { migrate } from './migrate.ts';

/** `url` is REENACT_DATABASE_URL, `snapshot` an empty embedded database; each adapter is loaded only where it is used.
 * `read`: a folder that may only be read will do. */
export async function openDatabase(
  folder: string,
  url: string | undefined,
  snapshot: string,
  work: 'make' | 'read' = 'make',
  waiting: Waiting = {},
): Promise<Database> {
  const database = url
    ? await (await import('./postgres.ts')).openServer(url, waiting)
    : await (await import('./pglite.ts')).openEmbedded(join(folder, 'sql'), snapshot, work, waiting);
  try {
    await migrate(database);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}
