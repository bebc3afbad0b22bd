/** Unpacks a bundle's contents into an empty store: each under its digest, and none used before it was hashed. */
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

import type { Digest } from '../../base/digest.ts';
import { asFault } from '../../base/fault.ts';
import { errnoOf } from '../../base/thrown.ts';
import type { BlobStore } from '../../store/blobs.ts';
import { Refused } from '../format/refused.ts';
import type { SinkOf } from '../read/contents.ts';
import { type Opened, openBundle } from '../read/open.ts';
import type { Sink } from '../read/read.ts';

/** Reads a bundle whose form and digests must all be right; the first error is thrown. */
export async function openWhole(path: string, sinkOf?: SinkOf): Promise<Opened> {
  const opened = await openBundle(path, sinkOf);
  const [problem] = opened.problems;
  if (problem) throw new Refused(problem.code, problem.message);
  return opened;
}

/** Writes one content at a time to its place in the store. */
class Writer {
  private readonly store: BlobStore;
  private fd: number | undefined;

  constructor(store: BlobStore) {
    this.store = store;
  }

  /** Ends the previous content; a second one of the same digest is refused, since no bundle has two. */
  start(sha256: Digest): Sink {
    this.end();
    const target = this.store.path(sha256);
    try {
      mkdirSync(dirname(target), { recursive: true });
      const fd = openSync(target, 'wx', 0o644);
      this.fd = fd;
      return (bytes) => this.write(fd, bytes);
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') throw new Refused('member_unexpected', `${sha256} is there twice`);
      throw this.failed(error);
    }
  }

  end(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }

  private write(fd: number, bytes: Uint8Array): void {
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done);
    } catch (error) {
      throw this.failed(error);
    }
  }

  private failed(error: unknown): unknown {
    return asFault('out_failed', `cannot unpack into ${this.store.folder}`, error);
  }
}

/** Extracts all contents, or those in `only`, into a store that is new; if the bundle is refused, nothing is left there. */
export async function extractBundle(
  path: string,
  store: BlobStore,
  only?: ReadonlySet<Digest>,
): Promise<Opened> {
  const writer = new Writer(store);
  try {
    return await openWhole(path, (sha256) =>
      !only || only.has(sha256) ? writer.start(sha256) : () => undefined,
    );
  } catch (error) {
    rmSync(store.folder, { recursive: true, force: true });
    throw error;
  } finally {
    writer.end();
  }
}
