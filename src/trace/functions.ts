/** The functions of an ELF file as its symbol table names them, each with the digest of its code: what stayed equal between builds. */
import { type Digest, digestOf } from '../base/digest.ts';
import { FileBytes } from './bytes.ts';
import { type ElfHeader, type ElfSection, NOBITS, Numbers, readHeader, readSections } from './elf.ts';

export interface FunctionBlob {
  /** As the linker knows it, not demangled; of several names at one address the first by bytes. */
  name: string;
  /** How many names more there are. */
  aliases: number;
  /** From the image's beginning, as frames count it. */
  rel_addr: number;
  size: number;
  /** Of its bytes; null where the file does not have them, or they are too many. */
  sha256: Digest | null;
}

const MOST_SYMBOLS = 2_000_000;
const MOST_NAMES_BYTES = 128 << 20;
const MOST_NAME_BYTES = 4096;
const MOST_HASHED_BYTES = 256 << 20;
const MOST_FUNCTION_BYTES = 4 << 20;
const PIECE_BYTES = 1 << 20;
const PAGE_BYTES = 4096n;
/** From an image's beginning; no program is larger, and numbers are exact up to here. */
const MOST_DISTANCE = 2n ** 48n;

const [SYMTAB, DYNSYM, EXECUTABLE, LOAD, ARM] = [2, 11, 4n, 1, 40];
/** STT_FUNC, and STT_GNU_IFUNC: a function that chooses another. */
const FUNCTIONS = [2, 10];

/** The lowest address that is loaded, at the beginning of its page. */
function baseOf(file: FileBytes, h: ElfHeader): bigint {
  const { offset, size, count } = h.segments;
  if (size !== (h.wide ? 56 : 32)) throw file.wrong(`its program headers have ${size} bytes`);
  const n = new Numbers(file.piece(offset, size * count, 'the table of program headers'), h.little);
  let lowest: bigint | null = null;
  for (let at = 0; at < size * count; at += size) {
    const address = n.word(at + (h.wide ? 16 : 8), h.wide);
    if (n.u32(at) === LOAD && (lowest === null || address < lowest)) lowest = address;
  }
  return ((lowest ?? 0n) / PAGE_BYTES) * PAGE_BYTES;
}

function wholeOf(file: FileBytes, { offset, size }: ElfSection, what: string): Buffer {
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
      if (code[middle]!.address <= address) low = middle + 1;
      else high = middle;
    }
    const found = code[low - 1];
    return found && address - found.address < found.size ? found : undefined;
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
      // Of 32-bit ARM the last bit says which instructions stand there.
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

/** Digests of places of the file, which is read one piece after the other as long as places only grow. */
function hasher(file: FileBytes): (offset: number, size: number, end: number) => Digest | null {
  let window: Buffer = Buffer.alloc(0);
  let [start, left] = [0, MOST_HASHED_BYTES];
  return (offset, size, end) => {
    if (size > MOST_FUNCTION_BYTES || size > left || offset + size > end || end > file.size) return null;
    left -= size;
    if (offset < start || offset + size > start + window.length) {
      start = offset;
      window = file.piece(offset, Math.max(size, Math.min(PIECE_BYTES, end - offset)), 'its code');
    }
    return digestOf(window.subarray(offset - start, offset - start + size));
  };
}

/** Yields the functions by address, of .symtab or else .dynsym; none of a file that is not linked. Throws a Fault where it lies. */
export function* functionsOf(path: string): Generator<FunctionBlob> {
  const file = new FileBytes(path);
  try {
    if (file.piece(0, Math.min(4, file.size), 'its beginning').toString('latin1') !== '\x7fELF') return;
    const h = readHeader(file);
    const sections = readSections(file, h);
    const stored = sections.filter(({ type }) => type !== NOBITS);
    const table = stored.find(({ type }) => type === SYMTAB) ?? stored.find(({ type }) => type === DYNSYM);
    const strings = table && sections[table.link];
    if (!table || h.segments.count === 0) return;
    if (!strings || strings.type === NOBITS) throw file.wrong('its symbols have no section of names');
    const names = wholeOf(file, strings, 'the section of its names');
    const nameAt = (at: number): Buffer => {
      const name = names.subarray(at, at + MOST_NAME_BYTES);
      const end = name.indexOf(0);
      if (end < 0) throw file.wrong(`a symbol has its name at ${at}, where none ends`);
      return name.subarray(0, end);
    };
    const base = baseOf(file, h);
    const codeAt = codeOf(sections);
    const { address, size, nameAt: named, count } = symbolsOf(file, h, base, table, codeAt);
    const order = Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) => address[a]! - address[b]!);
    const digest = hasher(file);
    for (let i = 0; i < count; ) {
      let [best, next] = [order[i]!, i + 1];
      let name = nameAt(named[best]!);
      for (; next < count && address[order[next]!] === address[best]; next++) {
        const other = nameAt(named[order[next]!]!);
        if (Buffer.compare(other, name) < 0) [best, name] = [order[next]!, other];
      }
      const section = codeAt(base + BigInt(address[best]!))!;
      const from = Number(section.offset);
      const offset = from + Number(base + BigInt(address[best]!) - section.address);
      yield {
        name: name.toString('utf8'),
        aliases: next - i - 1,
        rel_addr: address[best]!,
        size: size[best]!,
        sha256: section.type === NOBITS ? null : digest(offset, size[best]!, from + Number(section.size)),
      };
      i = next;
    }
  } finally {
    file.close();
  }
}
