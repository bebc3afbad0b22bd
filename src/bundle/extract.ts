/** Unpacks a bundle's contents into an empty store: each under its digest, none of them believed before it was hashed. */
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

import type { Digest } from '../base/digest.ts';
import type { BlobStore } from '../store/blobs.ts';
import { type Opened, openBundle } from './open.ts';

/** Extracts into a store that is new; when the bundle is refused, nothing of it is left there. */
export async function extractBundle(path: string, store: BlobStore): Promise<Opened> {
  let current: number | undefined;
  const close = (): void => {
    if (current !== undefined) closeSync(current);
    current = undefined;
  };
  try {
    return await openBundle(path, (sha256: Digest) => {
      close();
      const target = store.path(sha256);
      mkdirSync(dirname(target), { recursive: true });
      current = openSync(target, 'wx', 0o644);
      const fd = current;
      return (bytes) => {
        for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done);
      };
    });
  } catch (error) {
    rmSync(store.folder, { recursive: true, force: true });
    throw error;
  } finally {
    close();
  }
}
