/** Reads an ELF file's identity (System V ABI, gABI ch. 4 and 5): build-id, processor, and what its sections can tell. */
import type { FileBytes } from './bytes.ts';
import { debugIdOf, type Feature, type Image, imageOf, type ObjectFile } from './identity.ts';

const NOTE = 7;
/** A section that has a size and no bytes: the code of a file of debug information. */
export const NOBITS = 8;
const LOAD_SEGMENT = 1;
const NOTE_SEGMENT = 4;
const EXECUTABLE = 1;
/** What a loader maps begins with a whole page. */
const PAGE_BYTES = 4096n;
export const COMPRESSED = 0x800n;
/** More sections than any linker makes; an extended number may claim 2^32. */
const MOST_SECTIONS = 262_144;
const MOST_NAME_BYTES = 256;
/** Of each section, and how many sections: a real file has a handful, of some hundred bytes. */
const MOST_NOTES_BYTES = 1 << 20;
const MOST_NOTES = 32;
const GNU_BUILD_ID = 3;
/** LLVM follows a link by any of these names, also by one too long to be kept here. */
const DEBUG_LINK = /^[._]*gnu_debuglink$|^[._]{255}/;
const FDO_PACKAGE = 0xcafe1a7e;

const MACHINES: Readonly<Record<number, string>> = {
  3: 'x86',
  8: 'mips',
  20: 'ppc',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x86_64',
  183: 'arm64',
  243: 'riscv',
  258: 'loongarch',
};

export interface ElfHeader {
  wide: boolean;
  little: boolean;
  machine: number;
  segments: { offset: bigint; size: number; count: number };
  sections: { offset: bigint; size: number; count: number };
  names: number;
}

export interface ElfSection {
  name: string;
  type: number;
  flags: bigint;
  address: bigint;
  offset: bigint;
  size: bigint;
  /** Of a table of symbols: which section has their names. */
  link: number;
  align: bigint;
}

interface Segment {
  type: number;
  flags: number;
  offset: bigint;
  address: bigint;
  size: bigint;
  memory: bigint;
  align: bigint;
}

/** Numbers in the file's own order and width. */
export class Numbers {
  private readonly bytes: Buffer;
  private readonly little: boolean;
  constructor(bytes: Buffer, little: boolean) {
    this.bytes = bytes;
    this.little = little;
  }
  u16(at: number): number {
    return this.little ? this.bytes.readUInt16LE(at) : this.bytes.readUInt16BE(at);
  }
  u32(at: number): number {
    return this.little ? this.bytes.readUInt32LE(at) : this.bytes.readUInt32BE(at);
  }
  u64(at: number): bigint {
    return this.little ? this.bytes.readBigUInt64LE(at) : this.bytes.readBigUInt64BE(at);
  }
  word(at: number, wide: boolean): bigint {
    return wide ? this.u64(at) : BigInt(this.u32(at));
  }
}

/** Throws a Fault where it is no ELF header; the counts in it are not yet believed. */
export function readHeader(file: FileBytes): ElfHeader {
  const ident = file.piece(0, 16, 'the ELF identification');
  const [wide, little] = [ident[4] === 2, ident[5] === 1];
  if (!(wide || ident[4] === 1) || !(little || ident[5] === 2))
    throw file.wrong(`an ELF file of class ${ident[4]} and data ${ident[5]}`);
  const n = new Numbers(file.piece(0, wide ? 64 : 52, 'the ELF header'), little);
  const rest = wide ? 52 : 40;
  const sections = n.word(wide ? 40 : 32, wide);
  const header: ElfHeader = {
    wide,
    little,
    machine: n.u16(18),
    segments: { offset: n.word(wide ? 32 : 28, wide), size: n.u16(rest + 2), count: n.u16(rest + 4) },
    sections: { offset: sections, size: n.u16(rest + 6), count: n.u16(rest + 8) },
    names: n.u16(rest + 10),
  };
  // What does not fit into 16 bits stands in the first section.
  const extended = header.sections.count === 0 || header.names === 0xffff || header.segments.count === 0xffff;
  if (sections !== 0n && extended) {
    const first = new Numbers(file.piece(sections, wide ? 64 : 40, 'the first section header'), little);
    if (header.sections.count === 0) header.sections.count = Number(first.word(wide ? 32 : 20, wide));
    if (header.names === 0xffff) header.names = first.u32(wide ? 40 : 24);
    if (header.segments.count === 0xffff) header.segments.count = first.u32(wide ? 44 : 28);
  }
  if (sections === 0n) header.sections.count = 0;
  return header;
}

/** All sections with their names, in the file's order. Throws a Fault where their table is not where it is said to be. */
export function readSections(file: FileBytes, h: ElfHeader): ElfSection[] {
  const { offset, size, count } = h.sections;
  if (count === 0) return [];
  if (size !== (h.wide ? 64 : 40)) throw file.wrong(`its section headers have ${size} bytes`);
  if (count > MOST_SECTIONS) throw file.wrong(`it has ${count} sections, at most ${MOST_SECTIONS} are read`);
  const n = new Numbers(file.piece(offset, size * count, 'the table of section headers'), h.little);
  const sections = Array.from({ length: count }, (_, i) => {
    const at = i * size;
    return {
      nameAt: n.u32(at),
      name: '',
      type: n.u32(at + 4),
      flags: n.word(at + 8, h.wide),
      address: n.word(at + (h.wide ? 16 : 12), h.wide),
      offset: n.word(at + (h.wide ? 24 : 16), h.wide),
      size: n.word(at + (h.wide ? 32 : 20), h.wide),
      link: n.u32(at + (h.wide ? 40 : 24)),
      align: n.word(at + (h.wide ? 48 : 32), h.wide),
    };
  });
  const table = sections[h.names];
  if (!table || table.type === NOBITS) return sections;
  const names = file.piece(table.offset, table.size, 'the table of section names');
  for (const section of sections) {
    const name = names.subarray(section.nameAt, section.nameAt + MOST_NAME_BYTES);
    const end = name.indexOf(0);
    section.name = name.toString('latin1', 0, end < 0 ? MOST_NAME_BYTES : end);
  }
  return sections;
}

interface Note {
  owner: string;
  type: number;
  content: Buffer;
}

/** Notes one after the other, each part padded; what does not add up ends the list. */
function notesOf(bytes: Buffer, little: boolean, align: number): Note[] {
  const n = new Numbers(bytes, little);
  const notes: Note[] = [];
  const padded = (length: number): number => Math.ceil(length / align) * align;
  for (let at = 0; at + 12 <= bytes.length; ) {
    const [name, size, type] = [n.u32(at), n.u32(at + 4), n.u32(at + 8)];
    const content = padded(at + 12 + name);
    if (content + size > bytes.length) break;
    const owner = bytes.toString('latin1', at + 12, at + 12 + Math.max(0, name - 1));
    notes.push({ owner, type, content: bytes.subarray(content, content + size) });
    at = padded(content + size);
  }
  return notes;
}

/** The parts that are mapped, and the notes, by place: addresses are kept in files of debug information, places are not. */
function readSegments(file: FileBytes, h: ElfHeader): Segment[] {
  const { offset, size, count } = h.segments;
  if (count === 0) return [];
  if (size !== (h.wide ? 56 : 32)) throw file.wrong(`its program headers have ${size} bytes`);
  const n = new Numbers(file.piece(offset, size * count, 'the table of program headers'), h.little);
  return Array.from({ length: count }, (_, i) => {
    const at = i * size;
    return {
      type: n.u32(at),
      flags: n.u32(at + (h.wide ? 4 : 24)),
      offset: n.word(at + (h.wide ? 8 : 4), h.wide),
      address: n.word(at + (h.wide ? 16 : 8), h.wide),
      size: n.word(at + (h.wide ? 32 : 16), h.wide),
      memory: n.word(at + (h.wide ? 40 : 20), h.wide),
      align: n.word(at + (h.wide ? 48 : 28), h.wide),
    };
  });
}

/** The lowest address that is mapped, and how far from there its code reaches. */
function extentOf(segments: Segment[]): { base: string; code_end: string | null } {
  const loaded = segments.filter(({ type }) => type === LOAD_SEGMENT);
  const lowest = loaded.reduce(
    (low, { address }) => (address < low ? address : low),
    loaded[0]?.address ?? 0n,
  );
  const base = lowest - (lowest % PAGE_BYTES);
  const ends = loaded
    .filter(({ flags }) => (flags & EXECUTABLE) !== 0)
    .map((s) => s.address + s.memory - base);
  const end = ends.reduce((high, one) => (one > high ? one : high), 0n);
  return { base: `0x${base.toString(16)}`, code_end: end > 0n ? `0x${end.toString(16)}` : null };
}

/** From the sections where there are any: a file of debug information keeps them, and lies about its segments. */
function readNotes(file: FileBytes, h: ElfHeader, sections: ElfSection[], segments: Segment[]): Note[] {
  const places =
    sections.length > 0
      ? sections.filter(({ type }) => type === NOTE)
      : segments.filter(({ type }) => type === NOTE_SEGMENT);
  return places
    .slice(0, MOST_NOTES)
    .flatMap(({ offset, size, align }) =>
      size > MOST_NOTES_BYTES
        ? []
        : notesOf(file.piece(offset, size, 'a section of notes'), h.little, align === 8n ? 8 : 4),
    );
}

function featuresOf(sections: ElfSection[]): Feature[] {
  const has = (test: RegExp): boolean =>
    sections.some(({ name, type, size }) => type !== NOBITS && size > 0n && test.test(name));
  const found: [Feature, RegExp][] = [
    ['debug_info', /^\.z?debug_info(\.dwo)?$/],
    ['symbol_table', /^\.symtab$/],
    ['exports', /^\.dynsym$/],
    ['unwind', /^\.(eh_frame|z?debug_frame)$/],
    ['code', /^\.text$/],
  ];
  return found.filter(([, test]) => has(test)).map(([feature]) => feature);
}

function compressionOf(file: FileBytes, h: ElfHeader, sections: ElfSection[]): Image['compressed'] {
  const methods = sections
    .filter(({ type, flags }) => type !== NOBITS && (flags & COMPRESSED) !== 0n)
    .map(({ offset }) => new Numbers(file.piece(offset, 4, 'a compressed section'), h.little).u32(0));
  const names = methods.map((method) => ({ 1: 'zlib' as const, 2: 'zstd' as const })[method] ?? 'unknown');
  if (sections.some(({ name }) => name.startsWith('.zdebug'))) names.push('zlib');
  return [...new Set(names)].sort();
}

/** A name and behind it something else: .gnu_debuglink, .gnu_debugaltlink. */
function linkOf(
  file: FileBytes,
  sections: ElfSection[],
  named: RegExp,
): { name: string; rest: Buffer } | null {
  const found = sections.find(({ name, type }) => type !== NOBITS && named.test(name));
  if (!found) return null;
  const bytes = file.piece(found.offset, found.size, `the section ${found.name}`);
  const end = bytes.indexOf(0);
  return end < 0 ? null : { name: bytes.toString('utf8', 0, end), rest: bytes.subarray(end + 1) };
}

/** Throws a Fault where the file is not what its header says. */
export function readElf(file: FileBytes): ObjectFile {
  const h = readHeader(file);
  const sections = readSections(file, h);
  const segments = readSegments(file, h);
  const notes = readNotes(file, h, sections, segments);
  const buildId = notes.find(
    ({ owner, type, content }) => owner === 'GNU' && type === GNU_BUILD_ID && content.length > 0,
  )?.content;
  const alt = linkOf(file, sections, /^\.gnu_debugaltlink$/);
  const noted = notes.find(({ owner, type }) => owner === 'FDO' && type === FDO_PACKAGE);
  const image = imageOf(MACHINES[h.machine] ?? `elf-${h.machine}`, {
    ...extentOf(segments),
    id: buildId ? `elf:${buildId.toString('hex')}` : null,
    debug_id: buildId ? debugIdOf(buildId, h.little) : null,
    features: featuresOf(sections),
    compressed: compressionOf(file, h, sections),
    debug_link: linkOf(file, sections, DEBUG_LINK)?.name ?? null,
    alt_id: alt ? `elf:${alt.rest.toString('hex')}` : null,
    split:
      sections.some(({ name }) => name.endsWith('.dwo')) ||
      sections.some(({ name }) => name === '.debug_addr'),
    package: noted ? noted.content.toString('utf8').replace(/\0+$/, '') : null,
  });
  return { format: 'elf', images: [image] };
}
