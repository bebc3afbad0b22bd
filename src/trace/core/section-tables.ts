/** The unwind tables that stand in a file's sections: read whole, unpacked, and looked through. */
import { inflateSync, zstdDecompressSync } from 'node:zlib';
import { messageOf } from '../../base/thrown.ts';
import { Ended } from '../../objects/common/cursor.ts';
import { Numbers } from '../../objects/elf/header.ts';
import { EntryFinder, type UnwindEntry } from '../unwind/entries.ts';
import type { Layout, ReadBytes } from '../unwind/reader.ts';
import type { FileSection, ProgramFile } from './program-file.ts';

/** Of a section that is stored compressed, as its header says. */
const MOST_INFLATED_BYTES = 256 << 20;

/** The entry of an address of the linker's. */
export type Finder = (pc: bigint) => UnwindEntry | undefined;

/** Bytes by address, of a section that is read whole. */
function readerOf(address: bigint, bytes: Buffer): ReadBytes {
  return (at, length) => {
    const from = Number(at - address);
    return from >= 0 && from + length <= bytes.length ? bytes.subarray(from, from + length) : undefined;
  };
}

function unpacked(method: number, bytes: Buffer, size: number): Buffer {
  const unpack = { 1: inflateSync, 2: zstdDecompressSync }[method];
  if (!unpack) throw new Ended(`has a section that is compressed by the method ${method}`);
  try {
    return unpack(bytes, { maxOutputLength: Math.max(1, size) });
  } catch (error) {
    throw new Ended(`has a section that cannot be unpacked: ${messageOf(error)}`);
  }
}

/** What a section holds, unpacked where it is compressed (gABI, Elf64_Chdr; before that, GNU's .zdebug). */
function contentOf({ name, bytes, compressed }: FileSection, { word, little }: Layout): Buffer {
  if (name.startsWith('.z') && bytes.toString('latin1', 0, 4) === 'ZLIB')
    return unpacked(1, bytes.subarray(12), MOST_INFLATED_BYTES);
  if (!compressed) return bytes;
  const n = new Numbers(bytes, little);
  const head = word === 8 ? 24 : 12;
  const [method, size] = [n.u32(0), Number(n.word(word === 8 ? 8 : 4, word === 8))];
  if (size > MOST_INFLATED_BYTES) throw new Ended(`has a section of ${size} bytes, unpacked`);
  return unpacked(method, bytes.subarray(head), size);
}

/** One for each of these sections, `.eh_frame` or `.debug_frame`, that the file has bytes of. Throws Ended where it is too large. */
export function sectionFinders(file: ProgramFile, layout: Layout, names: string[]): Finder[] {
  return names.flatMap((name) => {
    const section = file.section(name) ?? file.section(name.replace('.', '.z'));
    if (!section || section.bytes.length === 0) return [];
    const isLoaded = name === '.eh_frame';
    // Addresses in a section that is not loaded count from its own beginning.
    const address = isLoaded ? section.address : 0n;
    const read = readerOf(address, contentOf(section, layout));
    const finder = new EntryFinder({ kind: isLoaded ? 'eh_frame' : 'debug_frame', layout, read });
    return [(pc: bigint) => finder.search(pc, address)];
  });
}
