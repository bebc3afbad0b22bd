/** Reads a bundle front to back, once, in constant memory: every member named and hashed, packs looked into. */

import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { type Digest, digestFromHex, hexOf } from '../../base/digest.ts';
import { asFault } from '../../base/fault.ts';
import { present } from '../../base/list.ts';
import { Refused } from '../format/refused.ts';
import type { RunningDigest } from '../format/second-thread.ts';
import { BLOCK_BYTES, type Member, paddingBytes, parseTarHeader, TAR_END, ZEROS } from '../format/tar.ts';

const CHUNK_BYTES = 1 << 18;

/** Bytes of a file, forwards only. */
export class Input {
  readonly fd: number;
  private readonly path: string;
  private readonly buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  private from = 0;
  private to = 0;
  private running: RunningDigest | undefined;
  /** Bytes in the buffer from here on are not yet part of the running digest. */
  private mark = 0;
  at = 0;

  constructor(path: string) {
    this.path = path;
    try {
      this.fd = openSync(path, 'r');
    } catch (error) {
      throw asFault('usage', `${path} cannot be read`, error);
    }
  }

  close(): void {
    closeSync(this.fd);
  }

  /** At most `max` bytes, valid until the next call; empty at the end of the file. */
  some(max: number): Buffer {
    if (this.from === this.to) {
      this.digest();
      this.from = 0;
      this.mark = 0;
      this.to = this.fill();
    }
    const piece = this.buffer.subarray(this.from, Math.min(this.to, this.from + max));
    this.from += piece.length;
    this.at += piece.length;
    return piece;
  }

  /** Starts a digest of what is read from here on. */
  startDigest(running: RunningDigest): void {
    this.running = running;
    this.mark = this.from;
  }

  endDigest(): Digest | Promise<Digest> {
    this.digest();
    const { running } = this;
    this.running = undefined;
    return present(running).end();
  }

  private digest(): void {
    const passed = this.buffer.subarray(this.mark, this.from);
    this.running?.update(passed, this.at - passed.length);
    this.mark = this.from;
  }

  private fill(): number {
    try {
      return readSync(this.fd, this.buffer, 0, CHUNK_BYTES, null);
    } catch (error) {
      throw asFault('usage', `${this.path} cannot be read`, error);
    }
  }

  /** Passes on exactly so many bytes. */
  pass(count: number, each: (bytes: Buffer) => void): void {
    for (let left = count; left > 0; ) {
      const piece = this.some(left);
      if (piece.length === 0) throw new Refused('tar_truncated', `the file ends at byte ${this.at}`);
      each(piece);
      left -= piece.length;
    }
  }

  /** One block, valid until the next call. */
  block(): Buffer {
    if (this.to - this.from >= BLOCK_BYTES) return this.some(BLOCK_BYTES);
    const parts: Buffer[] = [];
    this.pass(BLOCK_BYTES, (piece) => parts.push(Buffer.from(piece)));
    return Buffer.concat(parts);
  }

  /** The next member's header, or undefined at the proper end of the archive. */
  header(): Member | undefined {
    const at = this.at;
    const block = this.block();
    if (!block.equals(ZEROS)) return parseTarHeader(block, at);
    this.end(BLOCK_BYTES);
    if (this.some(1).length > 0)
      throw new Refused('tar_trailing', `there are bytes after the archive’s end, at byte ${at}`);
    return undefined;
  }

  /** Refuses anything but zero bytes. */
  end(count: number): void {
    this.pass(count, (piece) => {
      if (!piece.equals(ZEROS.subarray(0, piece.length)))
        throw new Refused('tar_form', `padding before byte ${this.at} is not zero`);
    });
  }
}

function sha256Of(hash: Hash): Digest {
  return digestFromHex(hash.digest('hex'));
}

/** Takes a content's bytes as they come; their digest is checked only at the end. */
export type Sink = (bytes: Buffer) => void;

/** Hashes a member's content, keeping it when `keep` is true; then its padding. */
export function readMember(
  input: Input,
  sizeBytes: number,
  keep: boolean,
  sink?: Sink,
): { sha256: Digest; bytes: Buffer | null } {
  const hash = createHash('sha256');
  const parts: Buffer[] = [];
  input.pass(sizeBytes, (piece) => {
    hash.update(piece);
    if (keep) parts.push(Buffer.from(piece));
    sink?.(piece);
  });
  input.end(paddingBytes(sizeBytes));
  return { sha256: sha256Of(hash), bytes: keep ? Buffer.concat(parts) : null };
}

/** A member of a pack. */
interface PackMember {
  sha256: Digest;
  sizeBytes: number;
  bytes: Buffer | null;
  /** Where in the file it begins. */
  at: number;
}

/** What to do with each member of a pack. */
export interface PackReading {
  keep: (sha256: Digest, sizeBytes: number) => boolean;
  each: (member: PackMember) => void;
  sinkOf?: ((sha256: Digest) => Sink) | undefined;
  /** The pack holds one part of a content, which goes there. */
  part?: (name: string, sizeBytes: number) => Sink;
}

/** Reads a pack of so many bytes, hashing each of its members. */
export function readPack(input: Input, sizeBytes: number, o: PackReading): void {
  let left = sizeBytes;
  const use = (count: number): number => {
    if (count > left)
      throw new Refused('tar_truncated', `a pack ends before its member does, at byte ${input.at}`);
    left -= count;
    return count;
  };
  const content = (expected: Digest, size: number): void => {
    const hash = createHash('sha256');
    const parts: Buffer[] | null = o.keep(expected, size) ? [] : null;
    const sink = o.sinkOf?.(expected);
    const { at } = input;
    input.pass(use(size), (piece) => {
      hash.update(piece);
      parts?.push(Buffer.from(piece));
      sink?.(piece);
    });
    const sha256 = sha256Of(hash);
    if (sha256 !== expected)
      throw new Refused('blob_digest', `the pack’s member ${hexOf(expected)} is ${sha256}`);
    o.each({ sha256, sizeBytes: size, bytes: parts && Buffer.concat(parts), at });
  };
  let last = '';
  while (left > TAR_END.length) {
    const { at } = input;
    use(BLOCK_BYTES);
    const { name, sizeBytes: size } = parseTarHeader(input.block(), at);
    if (o.part ? last !== '' : !/^[0-9a-f]{64}$/.test(name) || name <= last)
      throw new Refused('member_unexpected', `a pack has the member ${name} after ${last || 'nothing'}`);
    last = name;
    if (o.part) input.pass(use(size), o.part(name, size));
    else content(digestFromHex(name), size);
    input.end(use(paddingBytes(size)));
  }
  for (let blocks = 0; blocks < 2; blocks++) input.end(use(BLOCK_BYTES));
}
