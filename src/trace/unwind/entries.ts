/** Finds an address in .eh_frame and .debug_frame: the entry of its function, and the part that it shares with others. */

import { itemAt } from '../../base/list.ts';
import { Ended } from '../../objects/common/cursor.ts';
import { type Layout, type ReadBytes, TableReader } from './reader.ts';

/** More than any function's entry; a length may claim the whole address space. */
const MOST_ENTRY_BYTES = 1 << 20;
const MOST_ENTRIES = 16_777_216;
const HEADER_BYTES = 64;
/** Pairs of 32 bits, counted from the table's own beginning: what all linkers write. */
const SEARCHABLE = 0x3b;
/** The encoding for a value that is left out. */
const NOTHING = 0xff;

/** What entries of one kind share (CIE). */
interface Common {
  codeUnit: number;
  dataUnit: bigint;
  returnColumn: number;
  /** A signal's trampoline. */
  signal: boolean;
  encoding: number;
  augmented: boolean;
  program: Buffer;
}

/** What a table says about one function (FDE). Addresses are the linker's. */
export interface UnwindEntry extends Omit<Common, 'augmented' | 'program'> {
  from: bigint;
  to: bigint;
  initial: Buffer;
  program: Buffer;
  /** Where the program's first byte lies. */
  programAt: bigint;
}

/** A table of entries: in memory, or a section of a file. */
export interface EntryTable {
  kind: 'eh_frame' | 'debug_frame';
  layout: Layout;
  read: ReadBytes;
}

interface Record {
  reader: TableReader;
  id: bigint;
  idAt: bigint;
  next: bigint;
}

/** undefined: the table ends here. */
function recordAt({ kind, layout, read }: EntryTable, address: bigint): Record | undefined {
  const head = read(address, 4);
  if (!head) return undefined;
  let length = new TableReader(head, layout, address).unsigned(4);
  let begin = address + 4n;
  const wide = length === 0xffffffffn;
  if (wide) {
    const more = read(begin, 8);
    if (!more) return undefined;
    length = new TableReader(more, layout, begin).unsigned(8);
    begin += 8n;
  }
  if (length === 0n) return undefined;
  if (length > BigInt(MOST_ENTRY_BYTES)) throw new Ended(`has an entry of ${length} bytes`);
  const bytes = read(begin, Number(length));
  if (!bytes) throw new Ended('has an entry that ends behind it');
  const reader = new TableReader(bytes, layout, begin);
  const id = reader.unsigned(wide && kind === 'debug_frame' ? 8 : 4);
  return { reader, id, idAt: begin, next: begin + length };
}

function isCommon({ kind }: EntryTable, { id, reader }: Record): boolean {
  if (kind === 'eh_frame') return id === 0n;
  return id === (reader.at === 8 ? 0xffffffffffffffffn : 0xffffffffn);
}

function readCommon(reader: TableReader): Common {
  const version = Number(reader.unsigned(1));
  const augmentation = reader.text();
  if (version === 4) reader.skip(2);
  if (augmentation === 'eh') reader.skip(reader.layout.word);
  const common: Common = {
    codeUnit: reader.leb(),
    dataUnit: reader.signedLeb(),
    returnColumn: version === 1 ? Number(reader.unsigned(1)) : reader.leb(),
    signal: augmentation.includes('S'),
    encoding: 0,
    augmented: augmentation.startsWith('z'),
    program: Buffer.alloc(0),
  };
  if (common.augmented) {
    const end = reader.leb() + reader.at;
    for (const letter of augmentation.slice(1))
      if (letter === 'R') common.encoding = Number(reader.unsigned(1));
      else if (letter === 'L') reader.skip(1);
      else if (letter === 'P') reader.pointer(Number(reader.unsigned(1)) & 0x0f, 0n);
      else if (letter !== 'S' && letter !== 'B') break;
    reader.at = end;
  } else if (augmentation !== '' && augmentation !== 'eh')
    throw new Ended(`has an augmentation ${JSON.stringify(augmentation)}`);
  common.program = reader.bytes.subarray(reader.at);
  return common;
}

export class EntryFinder {
  private readonly table: EntryTable;
  private readonly commons = new Map<bigint, Common>();
  private index: { from: bigint; to: bigint; at: bigint }[] | undefined;

  constructor(table: EntryTable) {
    this.table = table;
  }

  private commonAt(address: bigint): Common {
    const known = this.commons.get(address);
    if (known) return known;
    const record = recordAt(this.table, address);
    if (!record || !isCommon(this.table, record)) throw new Ended('has an entry of no kind');
    const common = readCommon(record.reader);
    this.commons.set(address, common);
    return common;
  }

  /** The entry at this place of the table; undefined where there is none. */
  private entryOf(record: Record): UnwindEntry | undefined {
    if (isCommon(this.table, record)) return undefined;
    const { reader, id, idAt } = record;
    const {
      augmented,
      program: initial,
      ...common
    } = this.commonAt(this.table.kind === 'eh_frame' ? idAt - id : id);
    const from = reader.pointer(common.encoding, 0n);
    const size = reader.pointer(common.encoding & 0x0f, 0n);
    if (augmented) reader.skip(reader.leb());
    const programAt = reader.address + BigInt(reader.at);
    const program = reader.bytes.subarray(reader.at);
    return { ...common, from, to: from + size, initial, program, programAt };
  }

  /** All entries by their addresses, for a table without an index. */
  private all(start: bigint): { from: bigint; to: bigint; at: bigint }[] {
    const found: { from: bigint; to: bigint; at: bigint }[] = [];
    let at = start;
    for (let record = recordAt(this.table, at); record; record = recordAt(this.table, at)) {
      const entry = this.entryOf(record);
      if (entry && entry.to > entry.from) found.push({ from: entry.from, to: entry.to, at });
      if (found.length > MOST_ENTRIES) throw new Ended(`has more than ${MOST_ENTRIES} entries`);
      at = record.next;
    }
    return found.sort((a, b) => (a.from < b.from ? -1 : 1));
  }

  /** Searches all entries of the table that begins at `start`. */
  search(pc: bigint, start: bigint): UnwindEntry | undefined {
    this.index ??= this.all(start);
    let [low, high] = [0, this.index.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (itemAt(this.index, middle).from <= pc) low = middle + 1;
      else high = middle;
    }
    const found = this.index[low - 1];
    return found && pc < found.to ? this.at(found.at, pc) : undefined;
  }

  /** The entry at `address`, where it is of `pc`. */
  private at(address: bigint, pc: bigint): UnwindEntry | undefined {
    const record = recordAt(this.table, address);
    const entry = record && this.entryOf(record);
    return entry && pc >= entry.from && pc < entry.to ? entry : undefined;
  }

  /** What the linker's own index (.eh_frame_hdr) holds; undefined: it is not there, or of a form that cannot be searched. */
  private indexAt(header: bigint): { first: bigint; count: number } | undefined {
    const { layout, read } = this.table;
    const bytes = read(header, HEADER_BYTES) ?? read(header, 12);
    if (!bytes) return undefined;
    const reader = new TableReader(bytes, layout, header);
    const [version, pointers, counts, entries] = [0, 0, 0, 0].map(() => Number(reader.unsigned(1)));
    if (version !== 1 || entries !== SEARCHABLE || counts === NOTHING) return undefined;
    reader.pointer(pointers!, header);
    const count = Number(reader.pointer(counts!, header));
    return count > MOST_ENTRIES ? undefined : { first: header + BigInt(reader.at), count };
  }

  /** Whether there is an index at this address that can be searched. */
  hasIndex(header: bigint): boolean {
    try {
      return this.indexAt(header) !== undefined;
    } catch (error) {
      if (error instanceof Ended) return false;
      throw error;
    }
  }

  /** By the index at `header`. */
  lookUp(pc: bigint, header: bigint): UnwindEntry | undefined {
    const { layout, read } = this.table;
    const index = this.indexAt(header);
    if (!index) return undefined;
    const pairAt = (n: number): [bigint, bigint] => {
      const pair = read(index.first + BigInt(8 * n), 8);
      if (!pair) throw new Ended('has an index that is cut off');
      const two = new TableReader(pair, layout, 0n);
      return [header + two.signed(4), header + two.signed(4)];
    };
    let [low, high] = [0, index.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pairAt(middle)[0] <= pc) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? undefined : this.at(pairAt(low - 1)[1], pc);
  }
}
