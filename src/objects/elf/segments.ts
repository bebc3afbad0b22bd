/** What a loader maps of an ELF file (gABI, ch. 5), and where its code is in that: it turns addresses of traces into the file's own. */
import { hex } from '../../base/hex.ts';
import type { Layout } from '../common/identity.ts';
import { type ElfBytes, type ElfHeader, type ElfSection, Numbers } from './header.ts';

export const LOAD_SEGMENT = 1;
export const NOTE_SEGMENT = 4;
const EXECUTABLE_SEGMENT = 1;
/** SHF_ALLOC and SHF_EXECINSTR. */
const LOADED_CODE = 6n;
/** What a loader maps begins with a whole page. */
const PAGE_BYTES = 4096n;
/** A program that is not moved: e_type ET_EXEC. */
const FIXED = 2;
/** A real file has a handful; a file with more counts as having none. */
const MOST_LOADS = 64;
const MOST_RANGES = 4096;

export interface Segment {
  type: number;
  flags: number;
  offset: bigint;
  address: bigint;
  size: bigint;
  memory: bigint;
  align: bigint;
}

/** The parts that are mapped, and the notes, by place: addresses are kept in files of debug information, places are not. */
export function readSegments(file: ElfBytes, h: ElfHeader): Segment[] {
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

/** The lowest address that is mapped, at the beginning of its page. */
export function lowestOf(segments: Segment[]): bigint {
  const loaded = segments.filter(({ type }) => type === LOAD_SEGMENT);
  const lowest = loaded.reduce(
    (low, { address }) => (address < low ? address : low),
    loaded[0]?.address ?? 0n,
  );
  return lowest - (lowest % PAGE_BYTES);
}

/** Ranges of addresses in order, those that meet as one. */
function merged(ranges: [bigint, bigint][]): [bigint, bigint][] {
  const found: [bigint, bigint][] = [];
  for (const [from, end] of ranges.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    const last = found.at(-1);
    if (last && from <= last[1]) last[1] = end > last[1] ? end : last[1];
    else found.push([from, end]);
  }
  return found;
}

/** Where its code is, by its sections, which a file of debug information keeps; else by its segments. Distances from the lowest address. */
export function codeRanges(
  segments: Segment[],
  sections: ElfSection[],
  lowest: bigint,
): [string, string][] | null {
  const bySections = merged(
    sections
      .filter(({ flags, size }) => (flags & LOADED_CODE) === LOADED_CODE && size > 0n)
      .map(({ address, size }) => [address, address + size]),
  );
  const code =
    bySections.length > 0 && bySections.length <= MOST_RANGES
      ? bySections
      : merged(
          segments
            .filter(({ type, flags }) => type === LOAD_SEGMENT && (flags & EXECUTABLE_SEGMENT) !== 0)
            .map(({ address, memory }) => [address, address + memory]),
        );
  if (code.length === 0) return null;
  return code
    .filter(([from]) => from >= lowest)
    .map(([from, end]) => [hex(from - lowest), hex(end - lowest)]);
}

/** The layout of a file that can be loaded; null where it has more parts than any linker makes. */
export function layoutOf({ type }: ElfHeader, segments: Segment[]): Layout | null {
  const loads = segments.filter((one) => one.type === LOAD_SEGMENT);
  if (loads.length === 0 || loads.length > MOST_LOADS) return null;
  return {
    fixed: type === FIXED,
    loads: loads.map(({ offset, address, size }) => ({
      offset: hex(offset),
      address: hex(address),
      size: hex(size),
    })),
  };
}
