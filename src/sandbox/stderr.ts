/** Splits a container's stderr: the program's bytes, then what PID 1 adds behind its keyed mark (docs/harness.md). */
import { createHmac, timingSafeEqual } from 'node:crypto';

import { Fault } from '../base/fault.ts';
import { LIMITS } from '../base/limits.ts';
import { present } from '../base/list.ts';
import type { BlobStore } from '../store/blobs.ts';
import { type Crashes, parseCrashes } from './crash.ts';
import { OutputSink } from './output.ts';
import { readTrailer, TRAILER_BYTES, type Trailer } from './trailer.ts';

const MAC_BYTES = 64;
const SIZE = /^ (\d{12})\n$/;
const SIZE_BYTES = 14;
/** Behind each part: a newline, its HMAC, a newline. */
const SEAL_BYTES = 1 + MAC_BYTES + 1;
/** The crash record, the event log, the trailer. */
const REST_BYTES = LIMITS.crashBytes + SEAL_BYTES + LIMITS.logBytes + SEAL_BYTES + TRAILER_BYTES;

function macOf(key: Buffer, text: string | Buffer): Buffer {
  return Buffer.from(createHmac('sha256', key).update(text).digest('hex'));
}

/** How the program ended according to PID 1, where it and others crashed, and what it did. */
export interface Word {
  trailer: Trailer;
  crashes: Crashes | undefined;
  /** The event log, where it was asked for (docs/harness.md). */
  log: Buffer | undefined;
}

export class StderrSink {
  readonly text: OutputSink;
  private readonly store: BlobStore;
  private readonly key: Buffer;
  /** A guest cannot know the mark: everything behind the first one comes from PID 1. */
  private readonly mark: Buffer;
  private core: OutputSink | undefined;
  private coreLeft = 0;
  /** Before the mark: the last bytes, which may be part of it or the trailer. */
  private held: Buffer = Buffer.alloc(0);
  /** Behind the core: all. */
  private readonly rest: Buffer[] = [];
  private restBytes = 0;

  constructor(store: BlobStore, key: Buffer) {
    this.store = store;
    this.key = key;
    this.text = new OutputSink(store);
    this.mark = macOf(key, 'reenact-appendix/1');
  }

  write(bytes: Uint8Array): void {
    let behind = bytes;
    if (!this.core) {
      this.held = Buffer.concat([this.held, bytes]);
      if (!this.findMark()) return;
      behind = this.held;
      this.held = Buffer.alloc(0);
    }
    const part = behind.subarray(0, this.coreLeft);
    present(this.core).write(part);
    this.coreLeft -= part.length;
    this.rest.push(Buffer.from(behind.subarray(part.length)));
    this.restBytes += behind.length - part.length;
    if (this.restBytes > REST_BYTES) throw this.broken('more than a crash record and a log');
  }

  private broken(what: string): Fault {
    return new Fault('supervisor_lost', `PID 1 wrote ${what} behind the program's stderr`);
  }

  private passOn(bytes: number): void {
    this.text.write(this.held.subarray(0, bytes));
    this.held = this.held.subarray(bytes);
  }

  private findMark(): boolean {
    const at = this.held.indexOf(this.mark);
    this.passOn(at < 0 ? Math.max(0, this.held.length - TRAILER_BYTES) : at);
    const end = this.mark.length + SIZE_BYTES;
    if (at < 0 || this.held.length < end) return false;
    const size = Number(SIZE.exec(this.held.toString('latin1', this.mark.length, end))?.[1] ?? Number.NaN);
    if (!(size <= LIMITS.coreBytes)) throw this.broken('no size of a core that is accepted');
    this.core = new OutputSink(this.store);
    this.coreLeft = size;
    this.held = this.held.subarray(end);
    return true;
  }

  /** The trailer and the parts that it authenticates; undefined when it is missing or not under the key. */
  async end(): Promise<Word | undefined> {
    const last = this.core ? Buffer.concat(this.rest) : this.held;
    const trailer = readTrailer(last.subarray(-TRAILER_BYTES), this.key);
    if (!trailer) return undefined;
    const before = last.subarray(0, -TRAILER_BYTES);
    const { crashBytes, logBytes } = trailer;
    if (crashBytes === null && logBytes === null) {
      // A program that ended by itself leaves no appendix: here, something still ran behind the mark.
      const complete = trailer.kind === 'exit' || trailer.kind === 'signal';
      if (!this.core) this.passOn(before.length);
      return this.core && complete ? undefined : { trailer, crashes: undefined, log: undefined };
    }
    const logFrom = crashBytes === null ? 0 : crashBytes + SEAL_BYTES;
    const end = logFrom + (logBytes === null ? 0 : logBytes + SEAL_BYTES);
    const record = crashBytes === null ? undefined : this.sealed(before.subarray(0, logFrom));
    const log = logBytes === null ? undefined : this.sealed(before.subarray(logFrom));
    const missing = (crashBytes !== null && !record) || (logBytes !== null && !log);
    if (!this.core || before.length !== end || missing) return undefined;
    const crashes = record && parseCrashes(record);
    const core = await this.core.finish();
    const crash = crashes?.program;
    if (crash?.core ? crash.core.sha256 !== core.sha256 : core.sizeBytes > 0)
      throw this.broken('another core than its record names');
    return { trailer, crashes, log };
  }

  /** The part before its HMAC; undefined when that is not under the key. */
  private sealed(part: Buffer): Buffer | undefined {
    const content = part.subarray(0, -SEAL_BYTES);
    const expected = Buffer.from(`\n${macOf(this.key, content)}\n`);
    const seal = part.subarray(-SEAL_BYTES);
    return seal.length === SEAL_BYTES && timingSafeEqual(seal, expected) ? content : undefined;
  }

  /** Treats the held bytes as ordinary output: there was no trailer. */
  release(): void {
    if (!this.core) this.passOn(this.held.length);
  }

  discard(): void {
    this.text.discard();
    this.core?.discard();
  }
}
