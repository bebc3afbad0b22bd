/** The headers of an ELF file (System V ABI, gABI ch. 4): which sections it has, their counts and sizes not believed. */
import type { FileBytes } from '../common/bytes.ts';

/** A section with a size but no bytes, such as the code in a file of debug information. */
export const NOBITS = 8;
export const COMPRESSED = 0x800n;
/** More sections than any linker makes; an extended number may claim 2^32. */
const MOST_SECTIONS = 262_144;
const MOST_NAME_BYTES = 256;

/** A file, or as much of one as was mapped. */
export type ElfBytes = Pick<FileBytes, 'piece' | 'wrong'>;

export interface ElfHeader {
  wide: boolean;
  little: boolean;
  /** Such as 2, ET_EXEC, and 3, ET_DYN. */
  type: number;
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
export function readHeader(file: ElfBytes): ElfHeader {
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
    type: n.u16(16),
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
