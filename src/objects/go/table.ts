/** The line table that Go's linker leaves in every program, stripped ones too (runtime/symtab.go, .gopclntab): functions, files, lines, inlined calls. */
import type { FileBytes } from '../common/bytes.ts';
import { Cursor, Ended } from '../common/cursor.ts';
import { MOST_PLACES, type SourcePlace } from '../common/source-place.ts';
import { wholeSection } from '../dwarf/sections.ts';
import { type ElfHeader, type ElfSection, NOBITS, readHeader, readSections } from '../elf/header.ts';
import { relocations } from './relocations.ts';

const MOST_TABLE_BYTES = 256 << 20;
const MOST_NAME_BYTES = 4096;
/** The most steps of one function: each takes at least 2 bytes, and no function has a million instructions of one line. */
const MOST_STEPS = 4_000_000;
/** The first number of the table, by Go's version: from 1.18, and from 1.20. Older ones have another form. */
const [SINCE_18, SINCE_20] = [0xfffffff0, 0xfffffff1];
const SECTIONS: readonly string[] = ['.gopclntab', '.data.rel.ro.gopclntab'];
const [INLINE_INDEX, INLINE_TREE] = [2, 3];
const NO_FILE = 0xffffffff;

/** Where in runtime.moduledata, in words, there stands where the tables of inlined calls are. */
const GOFUNC_AT = { [SINCE_18]: 38, [SINCE_20]: 40 };

/** A function's record: where it stands in the table. */
interface Func {
  at: number;
  entry: bigint;
}

export class GoTable {
  private readonly bytes: Buffer;
  private readonly little: boolean;
  private readonly quantum: number;
  private readonly since20: boolean;
  private readonly text: bigint;
  private readonly count: number;
  private readonly offsets: number[];
  /** Reads at addresses of the program, where the tables of inlined calls are; null where that is not found. */
  private readonly tree: ((offset: number, size: number) => Buffer | null) | null;
  private steps = MOST_STEPS;

  constructor(bytes: Buffer, h: ElfHeader, text: bigint, tree: GoTable['tree']) {
    this.bytes = bytes;
    this.little = h.little;
    this.text = text;
    this.tree = tree;
    this.since20 = this.u32(0) === SINCE_20;
    this.quantum = bytes[6]!;
    const width = bytes[7]! as 4 | 8;
    const words = new Cursor(bytes, h.little, 8);
    this.count = words.number(width);
    words.skip(2 * width);
    this.offsets = Array.from({ length: 5 }, () => words.number(width));
  }

  private u32(at: number): number {
    if (at < 0 || at + 4 > this.bytes.length) throw new Ended('points outside of itself');
    return this.little ? this.bytes.readUInt32LE(at) : this.bytes.readUInt32BE(at);
  }

  private textAt(at: number): string {
    const piece = this.bytes.subarray(at, at + MOST_NAME_BYTES);
    const end = piece.indexOf(0);
    if (at > this.bytes.length || end < 0) throw new Ended('has a text that does not end');
    return piece.toString('utf8', 0, end);
  }

  private name(offset: number): string {
    return this.textAt(this.offsets[0]! + offset);
  }

  /** The function that an address lies in. */
  private find(pc: bigint): Func | null {
    const functab = this.offsets[4]!;
    const at = Number(pc - this.text);
    if (at < 0 || at >= this.u32(functab + 8 * this.count)) return null;
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.u32(functab + 8 * middle) <= at) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return null;
    const func = functab + this.u32(functab + 8 * (low - 1) + 4);
    return { at: func, entry: this.text + BigInt(this.u32(functab + 8 * (low - 1))) };
  }

  /** What a table of steps says of an address; -1 where nothing. */
  private valueAt(offset: number, { entry }: Func, pc: bigint): number {
    if (offset === 0) return -1;
    const c = new Cursor(this.bytes, this.little, this.offsets[3]! + offset);
    let [value, at] = [-1, Number(entry - pc)];
    for (let first = true; ; first = false) {
      if (--this.steps < 0) throw new Ended('has more steps than any program');
      const delta = c.leb();
      if (delta === 0 && !first) return -1;
      value += delta % 2 === 1 ? -(delta + 1) / 2 : delta / 2;
      at += c.leb() * this.quantum;
      if (at > 0) return value;
    }
  }

  private line(func: Func, pc: bigint): Pick<SourcePlace, 'file' | 'line' | 'column'> {
    const number = this.valueAt(this.u32(func.at + 20), func, pc);
    const line = this.valueAt(this.u32(func.at + 24), func, pc);
    const offset = number < 0 ? NO_FILE : this.u32(this.offsets[1]! + 4 * (this.u32(func.at + 32) + number));
    const file = offset === NO_FILE ? null : this.textAt(this.offsets[2]! + offset);
    return { file, line: line > 0 ? line : null, column: null };
  }

  /** Reads a call of a function's tree: what is called, and at which address of its caller; null where nothing says. */
  private inlined(func: Func, index: number): { name: string; parent: bigint } | null {
    const head = func.at + (this.since20 ? 40 : 36);
    const [pcdata, funcdata] = [this.u32(func.at + 28), this.bytes[head + 3]!];
    if (funcdata <= INLINE_TREE || !this.tree) return null;
    const tree = this.u32(head + 4 + 4 * pcdata + 4 * INLINE_TREE);
    const size = this.since20 ? 16 : 20;
    const entry = tree === NO_FILE ? null : this.tree(tree + size * index, size);
    if (!entry) return null;
    const at = (n: number): number => (this.little ? entry.readUInt32LE(n) : entry.readUInt32BE(n));
    const [name, parent] = this.since20 ? [at(4), at(8)] : [at(12), at(16)];
    return { name: this.name(name), parent: func.entry + BigInt(parent) };
  }

  /** Innermost first. Empty where there is no Go function; the last has no line where the table of its inlined calls is not found. */
  places(address: bigint): SourcePlace[] {
    this.steps = MOST_STEPS;
    const func = this.find(address);
    if (!func) return [];
    const head = func.at + (this.since20 ? 40 : 36);
    const outer = this.name(this.u32(func.at + 4));
    const hasTree = this.u32(func.at + 28) > INLINE_INDEX;
    const found: SourcePlace[] = [];
    for (let pc = address; found.length < MOST_PLACES; ) {
      const index = hasTree ? this.valueAt(this.u32(head + 4 + 4 * INLINE_INDEX), func, pc) : -1;
      if (index < 0) {
        const place = this.line(func, pc);
        // Behind a function's end there is nothing until the next begins.
        if (found.length === 0 && place.line === null) return [];
        return [...found, { function: outer, ...place }];
      }
      const call = this.inlined(func, index);
      if (!call) return [{ function: outer, file: null, line: null, column: null }];
      found.push({ function: call.name, ...this.line(func, pc) });
      pc = call.parent;
    }
    return found;
  }
}

/** Whether the file has a table of a form that is read. */
export function hasGoTable(file: FileBytes, h: ElfHeader, sections: ElfSection[]): boolean {
  const section = sections.find(
    ({ name, type, size }) => SECTIONS.includes(name) && type !== NOBITS && size > 72n,
  );
  if (!section) return false;
  const head = file.piece(section.offset, 8, section.name);
  const magic = h.little ? head.readUInt32LE(0) : head.readUInt32BE(0);
  return (
    (magic === SINCE_18 || magic === SINCE_20) && [1, 2, 4].includes(head[6]!) && [4, 8].includes(head[7]!)
  );
}

/** The table of an ELF file. Throws a Fault where it is malformed. */
export async function readGoTable(file: FileBytes): Promise<GoTable> {
  const h = readHeader(file);
  const section = readSections(file, h).find(({ name }) => SECTIONS.includes(name))!;
  const bytes = (await wholeSection(file, section.name.slice(1), MOST_TABLE_BYTES))!;
  const width = bytes[7]!;
  const memory = await relocations(file, h);
  // In a program that can be moved, its relocations hold the value; since Go 1.26 neither place holds it.
  const text = memory.word(section.address + BigInt(8 + 2 * width)) || memory.textAddress;
  const magic = h.little ? bytes.readUInt32LE(0) : bytes.readUInt32BE(0);
  const module = memory.pointerTo(section.address);
  const at = GOFUNC_AT[magic as keyof typeof GOFUNC_AT];
  const gofunc = module === null || at === undefined ? 0n : memory.word(module + BigInt(width * at));
  const tree =
    gofunc === 0n ? null : (offset: number, size: number) => memory.bytes(gofunc + BigInt(offset), size);
  return new GoTable(bytes, h, text, tree);
}
