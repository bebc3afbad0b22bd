/** Files that are whole or absent: written aside, synced, then renamed. */
import { closeSync, existsSync, linkSync, openSync, renameSync, rmSync } from 'node:fs';
import { type FileHandle, mkdir, open, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

import { type Digest, startDigest } from './digest.ts';
import { asideOf } from './temporary.ts';
import { errnoOf } from './thrown.ts';

const CHUNK_BYTES = 1 << 18;

/** Ensures that the names in a folder survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Makes a folder and those above it that are missing. Node's own recursive way never ends where the kernel says ENOENT to mkdir itself, as in /proc. */
export async function makeFolder(path: string, again = true): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    // Another process may have made the parent in the meantime: then this is tried once more.
    if (!existsSync(dirname(path))) await makeFolder(dirname(path));
    else if (!again) throw error;
    await makeFolder(path, false);
  }
}

/** Gives a file its name if that is free; a rename would silently replace a file that another process has just written. */
export function placeNew(aside: string, path: string): void {
  try {
    linkSync(aside, path);
    rmSync(aside);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(errnoOf(error) ?? '')) throw error;
    // File systems of memory sticks have no links: the name is reserved first, and then replaced.
    closeSync(openSync(path, 'wx', 0o644));
    renameSync(aside, path);
  }
}

/** Calls `fill` with a new file beside `path`, then renames it to `path`; on failure nothing is left. Gives what `fill` gives. */
export async function writeAside<T>(
  path: string,
  fill: (file: FileHandle) => Promise<T>,
  durable = true,
  place: (aside: string, path: string) => void = renameSync,
): Promise<T> {
  const folder = dirname(path);
  const aside = asideOf(path);
  await makeFolder(folder);
  try {
    const file = await open(aside, 'wx', 0o644);
    let filled: T;
    try {
      filled = await fill(file);
      if (durable) await file.sync();
    } finally {
      await file.close();
    }
    place(aside, path);
    if (durable) await syncFolder(folder);
    return filled;
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}

/** Writes text to `path`, whole or not at all; `durable` also survives a power cut. */
export async function writeWhole(path: string, text: string | Uint8Array, durable = true): Promise<void> {
  await writeAside(path, (file) => file.writeFile(text), durable);
}

/** Reads an open file to its end, passing each piece on; returns size and digest of exactly those pieces. */
export async function readThrough(
  file: FileHandle,
  each?: (bytes: Uint8Array) => Promise<unknown>,
): Promise<{ sha256: Digest; sizeBytes: number }> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  const digest = startDigest();
  let sizeBytes = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, null);
    if (bytesRead === 0) return { sha256: digest.end(), sizeBytes };
    const piece = buffer.subarray(0, bytesRead);
    digest.update(piece);
    if (each) await each(piece);
    sizeBytes += bytesRead;
  }
}

/** Digest of a file's content, read once from its beginning to its end. */
export async function digestOfFile(path: string): Promise<Digest> {
  const file = await open(path, 'r');
  try {
    return (await readThrough(file)).sha256;
  } finally {
    await file.close();
  }
}
