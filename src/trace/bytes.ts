/** A file's bytes, read where a format says they are, and never outside: every offset in an object file is hostile. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

import { asFault, Fault } from '../base/fault.ts';

/** Read at once when a file is opened: headers and notes mostly lie there. */
const HEAD_BYTES = 4096;
/** The longest piece that any reader asks for. */
const PIECE_BYTES = 16 << 20;

export class FileBytes {
  readonly path: string;
  readonly size: number;
  private readonly fd: number;
  private readonly head: Buffer;

  constructor(path: string) {
    this.path = path;
    try {
      this.fd = openSync(path, 'r');
    } catch (error) {
      throw asFault('object_malformed', `${path} cannot be read`, error);
    }
    try {
      const found = fstatSync(this.fd);
      if (!found.isFile()) throw new Fault('object_malformed', `${path} is no plain file`);
      this.size = found.size;
      this.head = Buffer.alloc(Math.min(HEAD_BYTES, found.size));
      this.fill(this.head, 0, 'its beginning');
    } catch (error) {
      closeSync(this.fd);
      throw asFault('object_malformed', `${path} cannot be read`, error);
    }
  }

  private fill(into: Buffer, offset: number, what: string): void {
    let have = 0;
    while (have < into.length) {
      const n = readSync(this.fd, into, have, into.length - have, offset + have);
      if (n === 0) throw this.wrong(`${what} ends sooner than when it was opened`);
      have += n;
    }
  }

  /** A Fault that names the file. */
  wrong(what: string): Fault {
    return new Fault('object_malformed', `${this.path}: ${what}`);
  }

  /** `length` bytes from `offset`; a Fault that names `what` where the file does not have them. */
  piece(offset: number | bigint, length: number | bigint, what: string): Buffer {
    const [at, count] = [Number(offset), Number(length)];
    if (!(at >= 0 && count >= 0 && at + count <= this.size))
      throw this.wrong(
        `${what} would lie at ${offset} to ${at + count}, and the file has ${this.size} bytes`,
      );
    if (count > PIECE_BYTES) throw this.wrong(`${what} has ${count} bytes, at most ${PIECE_BYTES} are read`);
    if (at + count <= this.head.length) return this.head.subarray(at, at + count);
    const bytes = Buffer.alloc(count);
    this.fill(bytes, at, what);
    return bytes;
  }

  /** All of a file of at most `most` bytes. */
  whole(most: number): Buffer {
    if (this.size > most) throw this.wrong(`${this.size} bytes, at most ${most} are read`);
    const bytes = Buffer.alloc(this.size);
    this.fill(bytes, 0, 'the file');
    return bytes;
  }

  close(): void {
    closeSync(this.fd);
  }
}
