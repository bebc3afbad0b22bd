/** The store of traces: a database, and content-addressed files beside it. */
import type { BlobStore } from '../../store/blobs.ts';
import type { Database } from '../../store/sql/database.ts';

export interface TraceStore {
  database: Database;
  blobs: BlobStore;
}
