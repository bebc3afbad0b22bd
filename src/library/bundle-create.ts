/** Packs a record, or the latest reproduction of a stored trace, into a bundle with all that a reviewer needs. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../base/cache-folder.ts';
import type { Digest } from '../base/digest.ts';
import { LIMITS } from '../base/limits.ts';
import { wantFree } from '../base/output.ts';
import { ATTACHED_BYTES } from '../bundle/custody/attached.ts';
import {
  type Collected,
  collect,
  type ImageOrigin,
  outOf,
  type StateContents,
} from '../bundle/write/collect.ts';
import { type BundleOptions, createBundle as writeBundle } from '../bundle/write/create.ts';
import type { JoinDocument } from '../join/document.ts';
import { BlobStore } from '../store/blobs.ts';
import { parseRecord } from '../verdict/parse.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import { readNamed } from './read-named.ts';
import type { PolicyInput, Session } from './session.ts';
import { eventKey, type KeyInput } from './signing-key.ts';

/** What a bundle is made of: a record, its path or the folder it is in; or a stored trace, by its id. */
export type BundleSource = string | ReplayRecord | { trace: string };

/** How a bundle is made; every field may be left out. */
export interface CreateBundleOptions {
  /** Contents of final states: all, those of states that differ from the most frequent, or none. Default: `full`. */
  state?: StateContents | undefined;
  /** Whether the sandbox image goes in, from the registry. Default: no. */
  withImage?: boolean | undefined;
  /** Where the image is looked for, before the repository that the manifest names. */
  repositories?: string[] | undefined;
  /** Of a trace: whose word counts for its joins. Default: the policy of its reproduction. */
  policy?: PolicyInput | undefined;
  /** Signs the bundle as exported, with an Ed25519 key, by whom and why. */
  sign?: { key: KeyInput; actor?: string | undefined; reason?: string | undefined } | undefined;
  /** A file with the reply of a timestamp authority about the root manifest. */
  timestamp?: string | undefined;
}

/** A bundle that was written. */
export interface CreatedBundle {
  path: string;
  /** Its identity. */
  root: Digest;
  items: number;
  sizeBytes: number;
  /** Of a trace: its joined frames. */
  join: JoinDocument | null;
}

/** What signs the bundle: no time of the clock, so that the same inputs give the same bytes on another day. */
async function attestedBy({
  sign,
  timestamp,
}: CreateBundleOptions): Promise<Pick<BundleOptions, 'sign' | 'timestamp'>> {
  return {
    ...(sign
      ? {
          sign: {
            key: await eventKey(sign.key),
            claim: { action: 'exported', actor: sign.actor ?? '', reason: sign.reason ?? '', time: null },
          },
        }
      : {}),
    ...(timestamp === undefined ? {} : { timestamp: await readNamed(timestamp, ATTACHED_BYTES) }),
  };
}

/** Everything about a record, from the store that was named, else from the one that its path lies in. */
async function collectRecord(
  { namedStore, store }: Session,
  given: string | ReplayRecord,
  state: StateContents,
  origin: ImageOrigin | undefined,
): Promise<Collected> {
  if (typeof given !== 'string') return await collect(given, new BlobStore(store), store, state, origin);
  const path = statSync(given, { throwIfNoEntry: false })?.isDirectory() ? join(given, 'record.json') : given;
  const out = namedStore ?? outOf(path);
  const record = parseRecord(await readNamed(path, LIMITS.documentBytes), path);
  return await collect(record, new BlobStore(out), out, state, origin);
}

/** Writes a bundle to `path`, where nothing may be yet; it is there whole or not at all. */
export async function createBundle(
  session: Session,
  path: string,
  source: BundleSource,
  o: CreateBundleOptions = {},
): Promise<CreatedBundle> {
  wantFree(path);
  const { state = 'full' } = o;
  const attested = await attestedBy(o);
  const origin: ImageOrigin | undefined = o.withImage
    ? {
        repositories: o.repositories ?? [],
        cache: new BlobStore(join(cacheFolder(process.env), 'images')),
        ...session.waiting,
      }
    : undefined;
  // The database of traces is loaded only where a trace is named.
  const collected =
    typeof source === 'object' && 'trace' in source
      ? await (await import('./bundle-trace.ts')).collectTraced(session, source.trace, {
          state,
          origin,
          policy: o.policy,
        })
      : await collectRecord(session, source, state, origin);
  const root = await writeBundle(path, collected, { state, ...attested });
  const { sources, join: joined = null } = collected;
  return { path, root, items: sources.length, sizeBytes: statSync(path).size, join: joined };
}
