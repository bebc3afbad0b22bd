/** Opens the store that a command names: files in its folder, and the database beside them or on a server. */
import { fileURLToPath } from 'node:url';

import { BlobStore } from '../store/blobs.ts';
import { openDatabase } from '../store/sql/open.ts';
import type { TraceStore } from '../trace/store/store.ts';
import type { Arguments } from './options.ts';

/** store/ lies beside src/ in a checkout and beside dist/ in a package. */
const SNAPSHOT = fileURLToPath(new URL('../../store/empty-pglite.tar.gz', import.meta.url));

/** Does `work` with the store of --store (default: .reenact), and closes it, however that ends. */
export async function withStore<T>(a: Arguments, work: (store: TraceStore) => Promise<T>): Promise<T> {
  const folder = a.text('store') ?? '.reenact';
  const database = await openDatabase(folder, process.env.REENACT_DATABASE_URL || undefined, SNAPSHOT);
  try {
    return await work({ database, blobs: new BlobStore(folder) });
  } finally {
    await database.close();
  }
}
