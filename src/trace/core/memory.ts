/** An ELF core's memory by address: what the process had, unless the kernel, a limit or a full disk kept it out of the file. */

import { itemAt, present } from '../../base/list.ts';
import type { FileBytes } from '../../objects/common/bytes.ts';
import { type ElfHeader, Numbers, readHeader } from '../../objects/elf/header.ts';
import type { Layout } from '../unwind/reader.ts';

const LOAD = 1;
const NOTE = 4;
const EXECUTABLE = 1;
const MOST_SEGMENTS = 1_048_576;
/** Read and kept at once; walks come back to the same pages. */
const BLOCK_BYTES = 1 << 16;
const MOST_BLOCKS = 256;
/** The longest piece of memory that any reader asks for. */
const MOST_BYTES = 1 << 24;

interface Segment {
  from: bigint;
  /** Of what was mapped. */
  size: bigint;
  /** Of what is in the file, beginning at `offset`. */
  kept: bigint;
  offset: bigint;
  executable: boolean;
}

/** Why memory cannot be read. */
export type Absence = 'not_mapped' | 'not_dumped' | 'cut_off';

export class CoreFile {
  readonly file: FileBytes;
  readonly header: ElfHeader;
  readonly layout: Layout;
  /** Where notes lie in the file. */
  readonly notes: { offset: number; size: number }[] = [];
  /** How many bytes the headers promise beyond those that are there. */
  readonly missingBytes: number;
  private readonly segments: Segment[] = [];
  private readonly blocks = new Map<number, Buffer>();

  /** Throws a Fault where its headers are not those of an ELF file. */
  constructor(file: FileBytes) {
    this.file = file;
    this.header = readHeader(file);
    const { wide, little, segments } = this.header;
    this.layout = { word: wide ? 8 : 4, little };
    const each = wide ? 56 : 32;
    if (segments.count > 0 && segments.size !== each)
      throw file.wrong(`its program headers have ${segments.size} bytes`);
    if (segments.count > MOST_SEGMENTS)
      throw file.wrong(`it has ${segments.count} segments, at most ${MOST_SEGMENTS} are read`);
    let end = 0n;
    for (let n = 0; n < segments.count; n++) {
      const at = new Numbers(
        this.bytes(Number(segments.offset) + n * each, each, 'the table of program headers'),
        little,
      );
      end = this.take(at, wide, end);
    }
    this.segments.sort((a, b) => (a.from < b.from ? -1 : 1));
    this.missingBytes = Math.max(0, Number(end) - file.size);
  }

  private take(n: Numbers, wide: boolean, end: bigint): bigint {
    const type = n.u32(0);
    const offset = n.word(wide ? 8 : 4, wide);
    const kept = n.word(wide ? 32 : 16, wide);
    if (type === NOTE) this.notes.push({ offset: Number(offset), size: Number(kept) });
    if (type === LOAD)
      this.segments.push({
        ...{ from: n.word(wide ? 16 : 8, wide), size: n.word(wide ? 40 : 20, wide), kept, offset },
        executable: (n.u32(wide ? 4 : 24) & EXECUTABLE) !== 0,
      });
    return (type === NOTE || type === LOAD) && offset + kept > end ? offset + kept : end;
  }

  /** Bytes of the file itself, by blocks. Throws a Fault where it does not have them. */
  bytes(offset: number, length: number, what: string): Buffer {
    const first = Math.floor(offset / BLOCK_BYTES);
    if (!(offset >= 0) || Math.floor((offset + length - 1) / BLOCK_BYTES) !== first)
      return this.file.piece(offset, length, what);
    let block = this.blocks.get(first);
    if (!block) {
      const from = first * BLOCK_BYTES;
      block = this.file.piece(from, Math.max(0, Math.min(BLOCK_BYTES, this.file.size - from)), what);
      if (this.blocks.size >= MOST_BLOCKS) this.blocks.delete(present(this.blocks.keys().next().value));
      this.blocks.set(first, block);
    }
    const at = offset - first * BLOCK_BYTES;
    if (at + length > block.length) return this.file.piece(offset, length, what);
    return block.subarray(at, at + length);
  }

  private at(address: bigint): Segment | undefined {
    let [low, high] = [0, this.segments.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (itemAt(this.segments, middle).from <= address) low = middle + 1;
      else high = middle;
    }
    const found = this.segments[low - 1];
    return found && address - found.from < found.size ? found : undefined;
  }

  /** Whether the process could execute what lies there. */
  isExecutable(address: bigint): boolean {
    return this.at(address)?.executable ?? false;
  }

  /** Memory of the process; undefined where not all of it is in the file. */
  read(address: bigint, length: number): Buffer | undefined {
    if (length > MOST_BYTES) return undefined;
    const pieces: Buffer[] = [];
    let [from, left] = [address, length];
    while (left > 0) {
      const segment = this.at(from);
      if (!segment) return undefined;
      const into = from - segment.from;
      const here = segment.kept - into;
      const count = here < BigInt(left) ? Number(here) : left;
      const offset = Number(segment.offset + into);
      if (count <= 0 || offset + count > this.file.size) return undefined;
      pieces.push(this.bytes(offset, count, 'memory'));
      [from, left] = [from + BigInt(count), left - count];
    }
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  }

  /** Why the memory at an address cannot be read. */
  absence(address: bigint): Absence {
    const segment = this.at(address);
    if (!segment) return 'not_mapped';
    return address - segment.from >= segment.kept ? 'not_dumped' : 'cut_off';
  }

  /** A number of the process's own width; undefined where it is not in the file. */
  word(address: bigint): bigint | undefined {
    const bytes = this.read(address, this.layout.word);
    return bytes && new Numbers(bytes, this.layout.little).word(0, this.layout.word === 8);
  }

  /** Text up to its zero; null where it is not in the file, or too long. */
  text(address: bigint, most: number): string | null {
    const bytes: number[] = [];
    for (let n = 0; n < most; n++) {
      const byte = this.read(address + BigInt(n), 1)?.[0];
      if (byte === undefined) return null;
      if (byte === 0) return Buffer.from(bytes).toString('utf8');
      bytes.push(byte);
    }
    return null;
  }
}
