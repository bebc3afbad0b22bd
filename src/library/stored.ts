/** What the store holds: lists, and one thing by its file, its digest or an id. */
import { statSync } from 'node:fs';

import { digestOfFile } from '../base/files.ts';
import { findTrace } from '../join/store/join.ts';
import {
  findArtifact,
  findSymbols,
  listArtifacts,
  listSymbols,
  listTraces,
  type StoredArtifact,
  type StoredContent,
  type StoredSymbols,
  type StoredTrace,
} from '../join/store/listing.ts';
import { unwindFilesOf } from '../join/store/unwind-files.ts';
import type { Trace } from '../trace/model/trace.ts';
import { readTraceFile } from '../trace/read-file.ts';
import type { Session } from './session.ts';
import { withStore } from './store.ts';
import { type ReadTraceOptions, sourcesOf } from './trace-read.ts';

/** A shipped file with what lies in it. */
export type ShownArtifact = StoredArtifact & { contents: StoredContent[] };

/** The stored traces, in the order in which they were added. */
export function traces(session: Session): Promise<StoredTrace[]> {
  return withStore(session, ({ database }) => listTraces(database), 'read');
}

/** The stored symbol files, by name. */
export function symbolFiles(session: Session): Promise<StoredSymbols[]> {
  return withStore(session, ({ database }) => listSymbols(database), 'read');
}

/** The stored artifacts that were added themselves, by name. */
export function artifacts(session: Session): Promise<StoredArtifact[]> {
  return withStore(session, ({ database }) => listArtifacts(database), 'read');
}

/** A file that is there is looked for by its digest. */
async function namedBy(given: string): Promise<string> {
  return statSync(given, { throwIfNoEntry: false })?.isFile() ? await digestOfFile(given) : given;
}

/** A stored trace, read again from the file that it was added from. */
export function storedTrace(session: Session, traceId: string, o: ReadTraceOptions = {}): Promise<Trace> {
  return withStore(
    session,
    async (store) => {
      const { source_sha256 } = await findTrace(store.database, traceId);
      return await readTraceFile(
        store.blobs.path(source_sha256),
        (images) => unwindFilesOf(store, images),
        sourcesOf(o),
      );
    },
    'read',
  );
}

/** A stored symbol file. */
export async function symbolFile(session: Session, given: string): Promise<StoredSymbols> {
  const named = await namedBy(given);
  return await withStore(session, ({ database }) => findSymbols(database, named), 'read');
}

/** A stored artifact, with what lies in it. */
export async function artifact(session: Session, given: string): Promise<ShownArtifact> {
  const named = await namedBy(given);
  return await withStore(session, ({ database }) => findArtifact(database, named), 'read');
}
