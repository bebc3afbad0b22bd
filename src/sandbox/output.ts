/** Collects one output stream: hashed as it arrives, kept in memory while small, spilled to a file when not. */

import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Digest, startDigest } from '../base/digest.ts';
import { asideOf } from '../base/temporary.ts';
import type { BlobStore } from '../store/blobs.ts';

const MEMORY_BYTES = 1 << 20;

export interface CollectedOutput {
  sha256: Digest;
  sizeBytes: number;
}

export class OutputSink {
  sizeBytes = 0;
  private readonly digest = startDigest();
  private readonly store: BlobStore;
  private pieces: Buffer[] = [];
  private file: { path: string; fd: number } | undefined;
  constructor(store: BlobStore) {
    this.store = store;
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.digest.update(bytes);
    this.sizeBytes += bytes.length;
    if (!this.file && this.sizeBytes > MEMORY_BYTES) this.spill();
    if (this.file) writeSync(this.file.fd, bytes);
    else this.pieces.push(Buffer.from(bytes));
  }

  private spill(): void {
    const path = asideOf(join(this.store.folder, 'blobs', 'output'));
    mkdirSync(dirname(path), { recursive: true });
    this.file = { path, fd: openSync(path, 'wx') };
    for (const piece of this.pieces) writeSync(this.file.fd, piece);
    this.pieces = [];
  }

  /** Moves the content into the store. */
  async finish(): Promise<CollectedOutput> {
    const sha256 = this.digest.end();
    if (!this.file) {
      await this.store.put(Buffer.concat(this.pieces));
      this.pieces = [];
      return { sha256, sizeBytes: this.sizeBytes };
    }
    const target = this.store.path(sha256);
    closeSync(this.file.fd);
    mkdirSync(dirname(target), { recursive: true });
    renameSync(this.file.path, target);
    this.file = undefined;
    return { sha256, sizeBytes: this.sizeBytes };
  }

  /** Throws the content away. */
  discard(): void {
    if (!this.file) return;
    closeSync(this.file.fd);
    rmSync(this.file.path, { force: true });
    this.file = undefined;
  }
}
