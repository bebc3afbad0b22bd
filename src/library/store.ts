/** The session's store: files in its folder, and the database beside them or on a server. */
import { Fault } from '../base/fault.ts';
import { packageFile } from '../base/package-files.ts';
import type { TraceStore } from '../join/store/store.ts';
import { BlobStore } from '../store/blobs.ts';
import { openDatabase } from '../store/sql/open.ts';
import { isDatabaseIn } from '../store/sql/permission.ts';
import type { Session } from './session.ts';

const SNAPSHOT = packageFile('store/empty-pglite.tar.gz');

/** Does `work` with the session's store, and closes it, however that ends; only `make` creates one. */
export async function withStore<T>(
  { store: folder, waiting }: Session,
  work: (store: TraceStore) => Promise<T>,
  make: 'make' | 'read' = 'make',
): Promise<T> {
  const isThere = process.env.REENACT_DATABASE_URL || isDatabaseIn(folder);
  if (make === 'read' && !isThere) throw new Fault('store_unknown', `there is no store in ${folder}`);
  const database = await openDatabase(
    folder,
    process.env.REENACT_DATABASE_URL || undefined,
    SNAPSHOT,
    make,
    waiting,
  );
  try {
    return await work({ database, blobs: new BlobStore(folder) });
  } finally {
    await database.close();
  }
}
