/** A bundle as it is written: front to back through one buffer, whole or not at all, never over an existing file. */

import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Digest } from '../../base/digest.ts';
import { asFault, Fault } from '../../base/fault.ts';
import { placeNew } from '../../base/files.ts';
import { present } from '../../base/list.ts';
import { asideOf, sweepAsides } from '../../base/temporary.ts';
import { Refused } from '../format/refused.ts';
import type { RunningDigest } from '../format/second-thread.ts';
import { paddingBytes, tarHeader, ZEROS } from '../format/tar.ts';

const CHUNK_BYTES = 1 << 18;

/** A file that is written front to back, except for gaps that are filled at the end. */
export class Output {
  readonly fd: number;
  private readonly buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  private fill = 0;
  private written = 0;
  private running: RunningDigest | undefined;

  constructor(fd: number) {
    this.fd = fd;
  }

  get at(): number {
    return this.written + this.fill;
  }

  write(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const count = Math.min(bytes.length - from, CHUNK_BYTES - this.fill);
      this.buffer.set(bytes.subarray(from, from + count), this.fill);
      this.fill += count;
      from += count;
      if (this.fill === CHUNK_BYTES) this.flush();
    }
  }

  /** A member whose name and content are known. */
  file(name: string, content: string | Uint8Array): void {
    const bytes = Buffer.from(content);
    this.write(tarHeader({ name, sizeBytes: bytes.length }));
    this.write(bytes);
    this.write(ZEROS.subarray(0, paddingBytes(bytes.length)));
  }

  /** Bytes of another file, as they stand there. */
  copy(fd: number, from: number, to: number, path = 'the file that is copied'): void {
    for (let at = from; at < to; ) {
      const count = readSync(fd, this.buffer, this.fill, Math.min(CHUNK_BYTES - this.fill, to - at), at);
      if (count === 0) throw new Fault('record_invalid', `${path} ended too early`);
      at += count;
      this.fill += count;
      if (this.fill === CHUNK_BYTES) this.flush();
    }
  }

  /** Starts a digest of what is written from here on. */
  startDigest(running: RunningDigest): void {
    this.flush();
    this.running = running;
  }

  endDigest(): Digest | Promise<Digest> {
    this.flush();
    const { running } = this;
    this.running = undefined;
    return present(running).end();
  }

  flush(): void {
    if (this.fill === 0) return;
    for (let done = 0; done < this.fill; ) done += writeSync(this.fd, this.buffer, done, this.fill - done);
    this.running?.update(this.buffer.subarray(0, this.fill), this.written);
    this.written += this.fill;
    this.fill = 0;
  }

  /** Writes over what was left open before. */
  patch(position: number, bytes: Uint8Array): void {
    this.flush();
    writeSync(this.fd, bytes, 0, bytes.length, position);
  }
}

/** Runs alone on a bundle that is changed in place: two processes at once would each overwrite what the other has added. */
export async function alone<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = join(dirname(path), `.${basename(path)}.lock`);
  try {
    closeSync(openSync(lock, 'wx', 0o644));
  } catch (error) {
    throw asFault(
      'out_failed',
      `${path} is being changed by another process; if there is none, remove ${lock}`,
      error,
    );
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Writes a file aside and gives it its name at the end; `replace`: over the one that is there. */
export async function writeBundleFile<T>(
  path: string,
  fill: (out: Output) => Promise<T>,
  replace = false,
): Promise<T> {
  const aside = asideOf(path);
  sweepAsides(dirname(path));
  let fd: number | undefined;
  try {
    fd = openSync(aside, 'wx+', 0o644);
    if (replace) fchmodSync(fd, statSync(path).mode & 0o777);
    const out = new Output(fd);
    const result = await fill(out);
    out.flush();
    fsyncSync(fd);
    closeSync(fd);
    fd = undefined;
    if (replace) renameSync(aside, path);
    else placeNew(aside, path);
    return result;
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    rmSync(aside, { force: true });
    throw error instanceof Refused ? error : asFault('out_failed', `cannot write ${path}`, error);
  }
}
