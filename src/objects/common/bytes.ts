/** A file's bytes, read where a format says they are, and never outside: every offset in an object file is hostile. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

import { asFault, Fault } from '../../base/fault.ts';

/** Read at once when a file is opened: headers and notes mostly lie there. */
const HEAD_BYTES = 4096;
/** The longest piece that any reader asks for. */
const PIECE_BYTES = 16 << 20;

/** Where a part of a file's content lies in another file that holds it. */
export interface Extent {
  from: number;
  size: number;
}

export class FileBytes {
  readonly path: string;
  readonly size: number;
  private readonly fd: number;
  private readonly head: Buffer;
  private readonly extents: Extent[] | undefined;

  /** `name` is what messages call it; `extents`: the file is only these parts of what lies at `path`. */
  constructor(path: string, name: string = path, extents?: Extent[]) {
    this.path = name;
    this.extents = extents;
    try {
      // Opening a pipe would wait for a writer; anything but a plain file is refused below.
      this.fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      throw asFault('object_malformed', `${name} cannot be read`, error);
    }
    try {
      const found = fstatSync(this.fd);
      if (!found.isFile()) throw new Fault('object_malformed', `${name} is no plain file`);
      this.size = extents ? extents.reduce((sum, { size }) => sum + size, 0) : found.size;
      this.head = Buffer.alloc(Math.min(HEAD_BYTES, this.size));
      this.fill(this.head, 0, 'its beginning');
    } catch (error) {
      closeSync(this.fd);
      throw asFault('object_malformed', `${name} cannot be read`, error);
    }
  }

  private fill(into: Buffer, offset: number, what: string): void {
    let have = 0;
    while (have < into.length) {
      const { at, left } = this.placeOf(offset + have);
      const n = readSync(this.fd, into, have, Math.min(into.length - have, left), at);
      if (n === 0) throw this.wrong(`${what} ends sooner than when it was opened`);
      have += n;
    }
  }

  /** Where a byte of this file lies, and how many follow it there. */
  private placeOf(offset: number): { at: number; left: number } {
    let before = 0;
    for (const { from, size } of this.extents ?? []) {
      if (offset < before + size) return { at: from + offset - before, left: before + size - offset };
      before += size;
    }
    return { at: offset, left: this.extents ? 0 : Number.POSITIVE_INFINITY };
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
