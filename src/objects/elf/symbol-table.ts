/** The functions in an ELF file's symbol table, in numbers: where each begins, how long it is, what it is called. */

import { itemAt } from '../../base/list.ts';
import type { FileBytes } from '../common/bytes.ts';
import { type ElfHeader, type ElfSection, NOBITS, Numbers, readHeader, readSections } from './header.ts';
import { lowestOf, readSegments } from './segments.ts';

const MOST_SYMBOLS = 2_000_000;
const MOST_NAMES_BYTES = 128 << 20;
const MOST_NAME_BYTES = 4096;
const PIECE_BYTES = 1 << 20;
/** From an image's beginning; no program is larger, and numbers are exact up to here. */
const MOST_DISTANCE = 2n ** 48n;

export const SYMTAB = 2;
export const DYNSYM = 11;
/** The processor of 32 bits. */
export const ARM = 40;
const EXECUTABLE = 4n;
/** STT_FUNC, and STT_GNU_IFUNC: a function that chooses another. */
export const FUNCTIONS: readonly number[] = [2, 10];

/** The bytes of a section of symbols or names. Throws a Fault where it is too large, or not all in the file. */
export function wholeOf(file: FileBytes, { offset, size }: ElfSection, what: string): Buffer {
  if (size > MOST_NAMES_BYTES)
    throw file.wrong(`${what} has ${size} bytes, at most ${MOST_NAMES_BYTES} are read`);
  if (offset + size > file.size) throw file.wrong(`${what} would end at ${offset + size}`);
  const whole = Buffer.alloc(Number(size));
  for (let at = 0; at < whole.length; at += PIECE_BYTES)
    file.piece(Number(offset) + at, Math.min(PIECE_BYTES, whole.length - at), what).copy(whole, at);
  return whole;
}

/** Sections of code by address, and the one that an address lies in. */
function codeOf(sections: ElfSection[]): (address: bigint) => ElfSection | undefined {
  const code = sections
    .filter(({ flags, size }) => (flags & EXECUTABLE) !== 0n && size > 0n)
    .sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  return (address) => {
    let [low, high] = [0, code.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (itemAt(code, middle).address <= address) low = middle + 1;
      else high = middle;
    }
    const found = code[low - 1];
    return found && address - found.address < found.size ? found : undefined;
  };
}

/** The same by the numbers that sections have in the file. */
export function codeIndexOf(sections: ElfSection[]): (address: bigint) => number | undefined {
  const [codeAt, numbers] = [codeOf(sections), new Map(sections.map((one, n) => [one, n]))];
  return (address) => {
    const found = codeAt(address);
    return found && numbers.get(found);
  };
}

interface Symbols {
  count: number;
  /** Distances from the image's beginning. */
  address: Float64Array;
  size: Float64Array;
  nameAt: Uint32Array;
}

/** Numbers side by side: objects for two million symbols would take gigabytes. */
function symbolsOf(
  file: FileBytes,
  h: ElfHeader,
  base: bigint,
  table: ElfSection,
  codeAt: (address: bigint) => ElfSection | undefined,
): Symbols {
  const each = h.wide ? 24 : 16;
  const total = Math.floor(Number(table.size) / each);
  if (total > MOST_SYMBOLS) throw file.wrong(`it has ${total} symbols, at most ${MOST_SYMBOLS} are read`);
  if (table.offset + table.size > file.size) throw file.wrong(`its symbols would end outside of it`);
  const found = {
    count: 0,
    address: new Float64Array(total),
    size: new Float64Array(total),
    nameAt: new Uint32Array(total),
  };
  const atOnce = Math.floor(PIECE_BYTES / each);
  for (let first = 0; first < total; first += atOnce) {
    const count = Math.min(atOnce, total - first);
    const bytes = file.piece(Number(table.offset) + first * each, count * each, 'its symbols');
    const n = new Numbers(bytes, h.little);
    for (let at = 0; at < bytes.length; at += each) {
      if (!FUNCTIONS.includes(bytes[at + (h.wide ? 4 : 12)]! & 0xf)) continue;
      const size = n.word(at + (h.wide ? 16 : 8), h.wide);
      const value = n.word(at + (h.wide ? 8 : 4), h.wide);
      // On 32-bit ARM the last bit says which instruction set the code uses.
      const address = h.machine === ARM ? value & ~1n : value;
      if (size === 0n || size > MOST_DISTANCE || !codeAt(address)) continue;
      if (address < base || address - base > MOST_DISTANCE) continue;
      found.address[found.count] = Number(address - base);
      found.size[found.count] = Number(size);
      found.nameAt[found.count++] = n.u32(at);
    }
  }
  return found;
}

/** Functions by address; several names of one address lie side by side. */
export interface SymbolTable {
  /** How many, and by their rank: distance from the image's beginning, size, name. */
  count: number;
  address: (rank: number) => number;
  size: (rank: number) => number;
  name: (rank: number) => Buffer;
  /** The section that an address of the file's own lies in, where it is one of code. */
  codeAt: (address: bigint) => ElfSection | undefined;
  /** What the file calls the image's beginning. */
  base: bigint;
}

/** Of .symtab or else .dynsym; null where there is none, or the file is not linked. Throws a Fault where the table is malformed. */
export function symbolTableOf(file: FileBytes): SymbolTable | null {
  const h = readHeader(file);
  const sections = readSections(file, h);
  const stored = sections.filter(({ type }) => type !== NOBITS);
  const table = stored.find(({ type }) => type === SYMTAB) ?? stored.find(({ type }) => type === DYNSYM);
  const strings = table && sections[table.link];
  if (!table || h.segments.count === 0) return null;
  if (!strings || strings.type === NOBITS) throw file.wrong('its symbols have no section of names');
  const names = wholeOf(file, strings, 'the section of its names');
  const nameAt = (at: number): Buffer => {
    const name = names.subarray(at, at + MOST_NAME_BYTES);
    const end = name.indexOf(0);
    if (end < 0) throw file.wrong(`a symbol has its name at ${at}, where none ends`);
    return name.subarray(0, end);
  };
  const base = lowestOf(readSegments(file, h));
  const codeAt = codeOf(sections);
  const { address, size, nameAt: named, count } = symbolsOf(file, h, base, table, codeAt);
  const order = Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) => address[a]! - address[b]!);
  return {
    count,
    address: (rank) => address[order[rank]!]!,
    size: (rank) => size[order[rank]!]!,
    name: (rank) => nameAt(named[order[rank]!]!),
    codeAt,
    base,
  };
}

/** Of one address; C++ has a handful, and a file that claims thousands gets no more time for it. */
const MOST_ALIASES = 64;

/** The names of the function that an address lies in, all that begin at one place; empty where none of them reaches the address. */
export function namesAt(table: SymbolTable, rel: number): string[] {
  let [low, high] = [0, table.count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (table.address(middle) <= rel) low = middle + 1;
    else high = middle;
  }
  const start = low === 0 ? -1 : table.address(low - 1);
  const names: string[] = [];
  for (let rank = low - 1; rank >= Math.max(0, low - MOST_ALIASES) && table.address(rank) === start; rank--)
    if (rel < start + table.size(rank)) names.push(table.name(rank).toString('utf8'));
  return names;
}
