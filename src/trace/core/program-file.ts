/** A program or library on disk, compared with what a core says about the loaded one before anything in it counts. */

import { FileBytes } from '../../objects/common/bytes.ts';
import { Ended } from '../../objects/common/cursor.ts';
import {
  COMPRESSED,
  type ElfHeader,
  type ElfSection,
  NOBITS,
  readHeader,
  readSections,
} from '../../objects/elf/header.ts';
import { buildIdOf, goIdOf } from '../../objects/elf/notes.ts';
import { LOAD_SEGMENT, readSegments, type Segment } from '../../objects/elf/segments.ts';
import { readNotes } from '../../objects/elf.ts';
import type { Layout } from '../unwind/reader.ts';
import type { CoreFile } from './memory.ts';
import { type CoreModule, extentOf } from './modules.ts';

/** A section that is read whole. */
const MOST_SECTION_BYTES = 256 << 20;
const PIECE_BYTES = 8 << 20;
const PAGE_BYTES = 4096;
const EXECUTABLE = 1;
/** In the ELF header: where sections lie and how many, which stripping changes and loading does not read. */
const SECTION_FIELDS = {
  4: [
    [32, 4],
    [46, 6],
  ],
  8: [
    [40, 8],
    [58, 6],
  ],
} as const;

export interface FileSection {
  name: string;
  address: bigint;
  bytes: Buffer;
  compressed: boolean;
}

export class ProgramFile {
  readonly path: string;
  readonly segments: Segment[];
  readonly buildId: string | null;
  readonly goId: string | null;
  readonly sections: ElfSection[];
  private readonly file: FileBytes;
  private readonly header: ElfHeader;

  /** Throws a Fault where it is no ELF file. */
  constructor(path: string) {
    this.path = path;
    this.file = new FileBytes(path);
    this.header = readHeader(this.file);
    this.segments = readSegments(this.file, this.header);
    this.sections = readSections(this.file, this.header);
    const notes = readNotes(this.file, this.header, this.sections, this.segments);
    this.buildId = buildIdOf(notes)?.toString('hex') ?? null;
    this.goId = goIdOf(notes);
  }

  /** ELF's number of its processor. */
  get machine(): number {
    return this.header.machine;
  }

  /** Width and order of its numbers. */
  get layout(): Layout {
    return { word: this.header.wide ? 8 : 4, little: this.header.little };
  }

  /** The bytes at this address of the linker's; undefined where the file has none there. */
  read(address: bigint, length: number): Buffer | undefined {
    const found = this.segments.find(
      (one) =>
        one.type === LOAD_SEGMENT &&
        address >= one.address &&
        address + BigInt(length) <= one.address + one.size,
    );
    return found && this.file.piece(found.offset + address - found.address, length, 'a mapped part');
  }

  /** A section's bytes; undefined where there is none, or one without bytes. Throws Ended where it is too large. */
  section(name: string): FileSection | undefined {
    const found = this.sections.find((one) => one.name === name && one.type !== NOBITS);
    if (!found) return undefined;
    const size = Number(found.size);
    if (size > MOST_SECTION_BYTES) throw new Ended(`has a section ${name} of ${size} bytes`);
    const pieces: Buffer[] = [];
    for (let at = 0; at < size; at += PIECE_BYTES)
      pieces.push(this.file.piece(Number(found.offset) + at, Math.min(PIECE_BYTES, size - at), name));
    const compressed = (found.flags & COMPRESSED) !== 0n;
    return { name, address: found.address, bytes: Buffer.concat(pieces), compressed };
  }

  /** Whether it has the code itself: a file of debug information keeps only the headers. */
  get isLoadable(): boolean {
    return this.segments.some(
      ({ type, flags, size }) => type === LOAD_SEGMENT && (flags & EXECUTABLE) !== 0 && size > 0n,
    );
  }

  close(): void {
    this.file.close();
  }

  /** The beginning of the file as it is mapped, without what stripping changes. */
  private firstPage(): Buffer {
    const bytes = this.file.piece(0, Math.min(PAGE_BYTES, this.file.size), 'its first page');
    return withoutSections(bytes, this.header.wide ? 8 : 4);
  }

  /** Why this cannot be the file that was loaded; null where nothing contradicts it. */
  objection(core: CoreFile, module: CoreModule): string | null {
    if (this.header.machine !== core.header.machine) return 'it is for another processor';
    const loaded = this.segments.filter(({ type }) => type === LOAD_SEGMENT);
    if (loaded.length === 0) return 'nothing of it can be loaded';
    if (module.buildId !== null && module.buildId !== this.buildId)
      return `its build-id is ${this.buildId ?? 'not there'}, and ${module.buildId} was loaded`;
    if (module.goId !== null && module.goId !== this.goId) return 'its Go build id is another';
    if (module.segments.length > 0 && layoutOf(module.segments) !== layoutOf(this.segments))
      return 'its program headers are others than those that were loaded';
    const bias = module.base - extentOf(this.segments).lowest;
    const strange = module.parts.find(
      ({ from, offset }) =>
        !loaded.some(
          (one) =>
            offset >= one.offset - (one.offset % 4096n) &&
            offset < one.offset + one.size + 4096n &&
            from - bias - offset === one.address - one.offset,
        ),
    );
    if (strange) return `0x${strange.from.toString(16)} was mapped from a place that it does not map there`;
    // A build-id covers the whole content; without one, the core's copy of the first page must equal the file's.
    const page =
      module.buildId === null && module.goId === null ? core.read(module.base, PAGE_BYTES) : undefined;
    if (!page || this.segments.every(({ offset, size }) => offset !== 0n || size === 0n)) return null;
    const own = this.firstPage();
    const length = Math.min(own.length, Number(loaded.find(({ offset }) => offset === 0n)?.size ?? 0n));
    return withoutSections(page, core.layout.word).subarray(0, length).equals(own.subarray(0, length))
      ? null
      : 'its first page is another than the one that was loaded';
  }
}

function withoutSections(page: Buffer, word: 4 | 8): Buffer {
  const bytes = Buffer.from(page);
  for (const [at, length] of SECTION_FIELDS[word]) bytes.fill(0, at, at + length);
  return bytes;
}

function layoutOf(segments: Segment[]): string {
  return segments
    .filter(({ type }) => type === LOAD_SEGMENT)
    .map(({ offset, address, size, memory, flags }) => [offset, address, size, memory, flags].join(' '))
    .join('\n');
}
