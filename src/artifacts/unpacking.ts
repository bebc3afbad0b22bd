/** What unpacking one artifact may take, however its archives are nested and whatever they claim; and the results. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { systemClock } from '../base/clock.ts';
import { type Digest, startDigest } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { writeAside } from '../base/files.ts';
import { Pieces } from '../base/pieces.ts';
import type { BuildFacts } from '../join/build-facts.ts';
import { buildOfFile } from '../join/build-of-file.ts';
import type { Image, ObjectFile } from '../objects/common/identity.ts';
import { textDigestOf } from '../objects/elf/text-digest.ts';
import { isProgram, readObject } from '../objects/object.ts';

export interface ShippedLimits {
  /** Of all archives in the artifact together, unpacked. */
  unpackedBytes: number;
  /** Names in all its archives together. */
  entries: number;
  /** One program or library, which is written to the disk to be read. */
  objectBytes: number;
  objects: number;
  /** One layer as the registry has it. */
  layerBytes: number;
  layers: number;
  /** Images in one index. */
  manifests: number;
  unpackMs: number;
}

export const SHIPPED_LIMITS: ShippedLimits = {
  unpackedBytes: 34_359_738_368,
  entries: 2_000_000,
  objectBytes: 4_294_967_296,
  objects: 65_536,
  layerBytes: 17_179_869_184,
  layers: 512,
  manifests: 64,
  unpackMs: 3_600_000,
};

/** Files that looked like programs and could not be read: how many, and the first of them with the reason. */
export interface Unread {
  count: number;
  first: string[];
}
const SHOWN = 10;

/** A Fault about an artifact that is not what it says. */
export function wrongArtifact(name: string, what: string): Fault {
  return new Fault('artifact_malformed', `${name}: ${what}`);
}

/** The images of an object file that a process can load: symbol files share the ids, but do not hold the program's code. */
function loadable({ images }: ObjectFile): Image[] {
  // A file without sections shows nothing of itself; symbol files always have some.
  return images.filter(({ features }) => features.includes('code') || features.length === 0);
}

export interface FoundFile {
  sha256: Digest;
  sizeBytes: number;
  /** Those that can be loaded. */
  images: Image[];
  /** What it says of its own build. */
  build: BuildFacts;
  /** Of its code alone. */
  textSha256: Digest | null;
}

/** The state of one artifact's unpacking; `folder` is private, and holds one file of the artifact at a time. */
export class Unpacking {
  readonly folder: string;
  private readonly signal: AbortSignal;
  readonly limits: ShippedLimits;
  readonly unread: Unread = { count: 0, first: [] };
  private bytes = 0;
  private entries = 0;
  private objects = 0;
  private readonly until: number;

  constructor(folder: string, signal: AbortSignal, limits: ShippedLimits = SHIPPED_LIMITS) {
    this.folder = folder;
    this.signal = signal;
    this.limits = limits;
    this.until = systemClock.monotonicMs() + limits.unpackMs;
  }

  /** Throws if the user interrupted the command. */
  check(): void {
    this.signal.throwIfAborted();
  }

  /** Counts what came out of an archive; a Fault that names it where it is too much. */
  takeBytes(name: string, count: number): void {
    this.check();
    this.bytes += count;
    const { unpackedBytes } = this.limits;
    if (this.bytes > unpackedBytes)
      throw wrongArtifact(name, `it unpacks to more than ${unpackedBytes} bytes`);
    // Small archives can be made to take long.
    if (systemClock.monotonicMs() > this.until)
      throw wrongArtifact(name, `unpacking it takes more than ${this.limits.unpackMs / 1000} s`);
  }

  takeEntry(name: string): void {
    const { entries } = this.limits;
    if (++this.entries > entries) throw wrongArtifact(name, `its archives have more than ${entries} entries`);
  }

  /** Notes a program that cannot be read: one bad file of many is no reason to refuse the others. */
  leaveOut(error: Fault): void {
    this.unread.count++;
    if (this.unread.first.length < SHOWN) this.unread.first.push(error.message);
  }

  /** A program's bytes, hashed, and what names its build; a Fault of object_malformed where it is not what it says. */
  async readProgram(source: AsyncIterable<Uint8Array>, name: string): Promise<FoundFile> {
    const { objectBytes, objects } = this.limits;
    if (++this.objects > objects) throw wrongArtifact(name, `more than ${objects} programs and libraries`);
    // Never under a name of the archive's.
    const path = join(this.folder, 'program');
    const digest = startDigest();
    let sizeBytes = 0;
    try {
      await writeAside(
        path,
        async (file) => {
          for await (const piece of source) {
            sizeBytes += piece.length;
            if (sizeBytes > objectBytes)
              throw wrongArtifact(name, `a program of more than ${objectBytes} bytes`);
            digest.update(piece);
            await file.write(piece);
          }
        },
        false,
      );
      const object = readObject(path, name);
      return {
        sha256: digest.end(),
        sizeBytes,
        images: loadable(object),
        build: await buildOfFile(path),
        textSha256: textDigestOf(path, object.format),
      };
    } finally {
      await rm(path, { force: true });
    }
  }

  /** The same of a file that may be anything; undefined where it does not say that it is a program. */
  async readIfProgram(source: AsyncIterable<Uint8Array>, name: string): Promise<FoundFile | undefined> {
    const pieces = new Pieces(source);
    return isProgram(await pieces.peek(8)) ? await this.readProgram(pieces.take(), name) : undefined;
  }
}
