/** What stands at addresses of a program before it runs: in its sections, or, where it can be moved, in its relocations. */
import type { FileBytes } from '../common/bytes.ts';
import { wholeSection } from '../dwarf/sections.ts';
import { type ElfHeader, NOBITS, Numbers, readHeader, readSections } from '../elf/header.ts';

const MOST_RELOCATION_BYTES = 64 << 20;
const MOST_DATA_BYTES = 64 << 20;
const ENTRY_BYTES = 24;
/** Of x86-64, arm64, riscv64, loongarch64, s390x: the address of the program, and a number more. */
const RELATIVE = new Set([8, 1027, 3, 12]);
/** Where Go's linker puts runtime.moduledata. */
const MODULE_SECTIONS = ['.go.module', '.noptrdata', '.data'];

export interface Memory {
  /** A number of the program's width; 0 where nothing stands there. */
  word(address: bigint): bigint;
  bytes(address: bigint, size: number): Buffer | null;
  /** Where in the data an address stands first; null where it does not. */
  pointerTo(address: bigint): bigint | null;
  /** Of .text. */
  textAddress: bigint;
}

/** Reads no more than some section at once. Throws a Fault where one is larger than any linker's. */
export async function relocations(file: FileBytes, h: ElfHeader = readHeader(file)): Promise<Memory> {
  const sections = readSections(file, h).filter(({ address }) => address > 0n);
  const stored = sections.filter(({ type }) => type !== NOBITS);
  const table = h.wide ? await wholeSection(file, 'rela.dyn', MOST_RELOCATION_BYTES) : null;
  const moved = new Map<bigint, bigint>();
  const n = new Numbers(table ?? Buffer.alloc(0), h.little);
  for (let at = 0; table && at + ENTRY_BYTES <= table.length; at += ENTRY_BYTES)
    if (RELATIVE.has(Number(n.u64(at + 8) & 0xffffffffn))) moved.set(n.u64(at), n.u64(at + 16));
  const bytes = (address: bigint, size: number): Buffer | null => {
    const found = stored.find(
      (one) => address >= one.address && address + BigInt(size) <= one.address + one.size,
    );
    return found ? file.piece(found.offset + address - found.address, size, found.name) : null;
  };
  const width = h.wide ? 8 : 4;
  return {
    textAddress: sections.find(({ name }) => name === '.text')?.address ?? 0n,
    bytes,
    word: (address) => {
      const found = moved.get(address);
      if (found !== undefined) return found;
      const piece = bytes(address, width);
      return piece ? new Numbers(piece, h.little).word(0, h.wide) : 0n;
    },
    pointerTo: (address) => {
      for (const [at, value] of moved) if (value === address) return at;
      const wanted = Buffer.alloc(8);
      if (h.little) wanted.writeBigUInt64LE(address);
      else wanted.writeBigUInt64BE(address);
      const pattern = h.wide ? wanted : h.little ? wanted.subarray(0, 4) : wanted.subarray(4);
      for (const section of stored.filter(({ name }) => MODULE_SECTIONS.includes(name))) {
        const end = Math.min(Number(section.size), MOST_DATA_BYTES);
        for (let at = 0; at < end; at += 1 << 20) {
          const piece = file.piece(Number(section.offset) + at, Math.min(1 << 20, end - at), section.name);
          const found = piece.indexOf(pattern);
          if (found >= 0 && (at + found) % width === 0) return section.address + BigInt(at + found);
        }
      }
      return null;
    },
  };
}
