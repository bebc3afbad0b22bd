/** A content-addressed folder: blobs/sha256/<hex>, each content once, whole or absent. */
import { constants, createReadStream, type ReadStream, statSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { type Digest, digestOf, hexOf } from '../base/digest.ts';
import { readThrough, writeAside } from '../base/files.ts';

/** The digest and size of a file, which is read once and not kept; links are not followed. */
export async function hashFile(path: string): Promise<{ sha256: Digest; sizeBytes: number }> {
  const source = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return await readThrough(source);
  } finally {
    await source.close();
  }
}

export class BlobStore {
  readonly folder: string;
  private readonly blobs: string;

  constructor(folder: string) {
    this.folder = folder;
    this.blobs = join(folder, 'blobs', 'sha256');
  }

  path(digest: Digest): string {
    return `${this.blobs}/${hexOf(digest)}`;
  }

  has(digest: Digest): boolean {
    return this.sizeOf(digest) !== undefined;
  }

  /** In bytes; undefined when it is not kept. */
  sizeOf(digest: Digest): number | undefined {
    return statSync(this.path(digest), { throwIfNoEntry: false })?.size;
  }

  /** Keeps bytes that are in memory; returns their digest. `durable`: on return they survive a power cut. */
  async put(bytes: string | Uint8Array, durable = false): Promise<Digest> {
    const digest = digestOf(bytes);
    if (durable || !this.has(digest))
      await writeAside(this.path(digest), (file) => file.writeFile(bytes), durable);
    return digest;
  }

  /** Hashes the file at `path` (bytes, for names that are not UTF-8) and keeps it unless already kept; `distrust` writes it anew. */
  async putFile(path: string | Buffer, distrust = false): Promise<{ sha256: Digest; sizeBytes: number }> {
    const source = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const first = await readThrough(source);
      if (distrust || !this.has(first.sha256)) await this.copy(path, first.sha256);
      return first;
    } finally {
      await source.close();
    }
  }

  private async copy(path: string | Buffer, expected: Digest): Promise<void> {
    const source = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const write = async (to: { write(b: Uint8Array): Promise<unknown> }): Promise<void> => {
        const { sha256 } = await readThrough(source, (bytes) => to.write(bytes));
        if (sha256 !== expected) throw new Error('a file changed while it was being kept');
      };
      await writeAside(this.path(expected), write, false);
    } finally {
      await source.close();
    }
  }

  /** The bytes, checked against their digest; undefined when they are not kept. */
  async get(digest: Digest): Promise<Buffer | undefined> {
    if (!this.has(digest)) return undefined;
    const bytes = await readFile(this.path(digest));
    if (digestOf(bytes) !== digest) throw new Error(`${this.path(digest)} does not hold what its name says`);
    return bytes;
  }

  /** A stream of part of a blob, for explaining differences without reading it whole. */
  stream(digest: Digest, start = 0, end?: number): ReadStream {
    return createReadStream(this.path(digest), { start, ...(end === undefined ? {} : { end }) });
  }
}
