/** A copy of an ELF file in which some sections have another content: what the engine cannot read as it stands is put into a form that it can. */
import { chmodSync, closeSync, constants, copyFileSync, openSync, writeSync } from 'node:fs';

import type { FileBytes } from '../common/bytes.ts';
import { type ElfSection, readHeader, readSections } from './header.ts';

/** Section numbers from here on mean something else (gABI, SHN_LORESERVE). */
const MOST_SECTIONS = 0xff00;
const PROGBITS = 1;
const STRTAB = 3;
/** For debug information alignment does not matter; for a compression header it does. */
const ALIGN = 8;

/** A section with this name, which replaces the one called `from`, or is new where there is none. */
export interface Replaced {
  from: string;
  name: string;
  flags: bigint;
  /** Of a table: the type of the section, the section that it refers to, and how long its entries are. */
  type?: number;
  linked?: string;
  entry?: bigint;
  content: Iterable<Buffer>;
}

/** The file at `path`, open as `file`, copied to `to` with these sections. Throws a Fault where it has more sections than are numbered plainly. */
export function copyElf(file: FileBytes, path: string, to: string, replaced: Replaced[]): void {
  const h = readHeader(file);
  const sections: (ElfSection & { entry: bigint; info: number })[] = readSections(file, h).map(
    (section, n) => {
      const from = h.wide ? 44 : 28;
      const rest = file.piece(
        h.sections.offset + BigInt(n * h.sections.size + from),
        h.wide ? 20 : 12,
        'a section header',
      );
      const u32 = (at: number): number => (h.little ? rest.readUInt32LE(at) : rest.readUInt32BE(at));
      const big = (at: number): bigint => (h.little ? rest.readBigUInt64LE(at) : rest.readBigUInt64BE(at));
      return { ...section, info: u32(0), entry: h.wide ? big(12) : BigInt(u32(8)) };
    },
  );
  if (sections.length + replaced.length + 1 > MOST_SECTIONS)
    throw file.wrong(`it has ${sections.length} sections, which are not copied`);
  copyFileSync(path, to, constants.COPYFILE_FICLONE);
  chmodSync(to, 0o600);
  const fd = openSync(to, 'r+');
  try {
    let end = Math.ceil(file.size / ALIGN) * ALIGN;
    const append = (pieces: Iterable<Buffer>): { offset: bigint; size: bigint } => {
      const offset = end;
      for (const piece of pieces) end += writeSync(fd, piece, 0, piece.length, end);
      const size = end - offset;
      end = Math.ceil(end / ALIGN) * ALIGN;
      return { offset: BigInt(offset), size: BigInt(size) };
    };
    for (const { from, name, flags, content, type = PROGBITS, linked, entry = 0n } of replaced) {
      const link = Math.max(
        0,
        sections.findIndex((one) => one.name === linked),
      );
      const table = linked === undefined ? {} : { link, entry, info: 1 };
      const place = { ...append(content), name, flags, type, align: 1n, ...table };
      const old = sections.find((one) => one.name === from);
      if (old) Object.assign(old, place);
      else sections.push({ address: 0n, link: 0, entry: 0n, info: 0, ...place });
    }
    sections.push({
      ...{ name: '.shstrtab', type: STRTAB, flags: 0n, address: 0n, offset: 0n, size: 0n },
      ...{ link: 0, align: 1n, entry: 0n, info: 0 },
    });
    const names = Buffer.from(sections.map(({ name }) => `${name}\0`).join(''), 'latin1');
    Object.assign(sections.at(-1)!, append([names]));
    let nameAt = 0;
    const headers = sections.map((one) => {
      const at = nameAt;
      nameAt += one.name.length + 1;
      return headerOf(h, one, at);
    });
    const { offset } = append(headers);
    const start = h.wide ? word(h, offset) : half(h, offset, 4);
    writeSync(fd, start, 0, start.length, h.wide ? 40 : 32);
    const counts = Buffer.concat([half(h, sections.length, 2), half(h, sections.length - 1, 2)]);
    writeSync(fd, counts, 0, 4, h.wide ? 60 : 48);
  } finally {
    closeSync(fd);
  }
}

type Form = Pick<ReturnType<typeof readHeader>, 'little' | 'wide'>;

function half({ little }: Form, value: number | bigint, width: 2 | 4): Buffer {
  const b = Buffer.alloc(width);
  if (little) b.writeUIntLE(Number(value), 0, width);
  else b.writeUIntBE(Number(value), 0, width);
  return b;
}

function word({ little, wide }: Form, value: bigint): Buffer {
  if (!wide) return half({ little, wide }, value, 4);
  const b = Buffer.alloc(8);
  if (little) b.writeBigUInt64LE(value);
  else b.writeBigUInt64BE(value);
  return b;
}

function headerOf(h: Form, one: ElfSection & { entry: bigint; info: number }, nameAt: number): Buffer {
  return Buffer.concat([
    ...[half(h, nameAt, 4), half(h, one.type, 4), word(h, one.flags), word(h, one.address)],
    ...[word(h, one.offset), word(h, one.size), half(h, one.link, 4), half(h, one.info, 4)],
    ...[word(h, one.align), word(h, one.entry)],
  ]);
}

/** The header of a compressed section (gABI, Elf_Chdr). */
export function compressionHeader(h: Form, size: bigint): Buffer {
  const zlib = 1;
  return h.wide
    ? Buffer.concat([half(h, zlib, 4), Buffer.alloc(4), word(h, size), word(h, 1n)])
    : Buffer.concat([half(h, zlib, 4), word(h, size), word(h, 1n)]);
}
