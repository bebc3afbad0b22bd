/** A PE file that is nothing but the headers of one: LLVM asks a PDB only on behalf of a program that names it. */
import { present } from '../base/list.ts';
import { FileBytes } from '../objects/common/bytes.ts';
import {
  type Container,
  DEBUG_INFORMATION,
  INFORMATION,
  partOf,
  readContainer,
  sizeOfStream,
} from '../objects/formats/pdb.ts';

const SECTION_BYTES = 40;
/** The most sections of a PE file: more than LLVM's reader or Windows accepts. */
const MOST_SECTIONS = 96;
const NO_STREAM = 0xffff;
const DIRECTORIES = 16;
const WIDE = new Set([34404, 43620]);
const HEADERS_AT = 0x40;
const CODE = 0x20;

export interface Stub {
  bytes: Buffer;
  /** Where the program has code: the first address, and the one behind the last. */
  code: [bigint, bigint][];
}

/** The headers of the program's sections, which the linker copied into the PDB; LLVM, "The PDB DBI Stream". */
function sectionsIn(file: FileBytes, c: Container, debug: Buffer): Buffer {
  // Sizes of what stands before the list of further streams, of which the sixth has the headers.
  const before = [24, 28, 32, 36, 40, 52].map((at) => debug.readUInt32LE(at));
  const at = before.reduce((sum, bytes) => sum + bytes, debug.length) + 2 * 5;
  const stream = partOf(file, c, DEBUG_INFORMATION, at, 2)?.readUInt16LE(0) ?? NO_STREAM;
  const bytes = stream === NO_STREAM ? 0 : sizeOfStream(c, stream);
  if (bytes === 0) throw file.wrong('a PDB without the headers of its program’s sections');
  if (bytes % SECTION_BYTES !== 0 || bytes > MOST_SECTIONS * SECTION_BYTES)
    throw file.wrong(`headers of sections of ${bytes} bytes`);
  return present(partOf(file, c, stream, 0, bytes));
}

function optionalHeader(wide: boolean, addresses: number): Buffer {
  const b = Buffer.alloc((wide ? 112 : 96) + 8 * DIRECTORIES);
  b.writeUInt16LE(wide ? 0x20b : 0x10b, 0);
  // The base stays 0: addresses of the image are addresses of the file.
  b.writeUInt32LE(0x1000, 32);
  b.writeUInt32LE(0x200, 36);
  b.writeUInt32LE(addresses, 56);
  b.writeUInt32LE(DIRECTORIES, wide ? 108 : 92);
  return b;
}

function codeIn(sections: Buffer): Stub['code'] {
  const starts = Array.from({ length: sections.length / SECTION_BYTES }, (_, i) => SECTION_BYTES * i);
  return starts
    .filter((at) => (sections.readUInt32LE(at + 36) & CODE) !== 0)
    .map((at) => [sections.readUInt32LE(at + 12), sections.readUInt32LE(at + 8)] as const)
    .map(([from, size]) => [BigInt(from), BigInt(from + size)]);
}

/** The stub of the PDB at `path`, which names it `name`. Throws a Fault where the PDB contradicts its headers. */
export function stubOf(path: string, name: string): Stub {
  const file = new FileBytes(path);
  try {
    const c = readContainer(file);
    const information = partOf(file, c, INFORMATION, 0, 28);
    const debug = partOf(file, c, DEBUG_INFORMATION, 0, 64);
    if (!information || !debug) throw file.wrong('a PDB without debug information');
    const sections = sectionsIn(file, c, debug);
    const machine = debug.readUInt16LE(58);
    const count = sections.length / SECTION_BYTES;
    const ends = Array.from({ length: count }, (_, i) =>
      Math.min(
        2 ** 31,
        sections.readUInt32LE(SECTION_BYTES * i + 8) + sections.readUInt32LE(SECTION_BYTES * i + 12),
      ),
    );
    const recordAddress = Math.ceil((Math.max(...ends) + 1) / 0x1000) * 0x1000;
    const optional = optionalHeader(WIDE.has(machine), recordAddress + 0x1000);
    const recordAt = HEADERS_AT + 24 + optional.length + SECTION_BYTES * (count + 1);
    const record = Buffer.concat([Buffer.alloc(28 + 24), Buffer.from(`${name}\0`, 'latin1')]);
    const headers = Buffer.from(sections);
    // Nothing of the program is here: a section that claimed bytes of the file would make it malformed.
    for (let i = 0; i < count; i++) headers.fill(0, SECTION_BYTES * i + 16, SECTION_BYTES * i + 36);
    const own = Buffer.alloc(SECTION_BYTES);
    own.write('.rdata', 0, 'latin1');
    for (const [at, value] of [
      [8, record.length],
      [12, recordAddress],
      [16, record.length],
      [20, recordAt],
      [36, 0x40000040],
    ] as const)
      own.writeUInt32LE(value, at);
    // The debug directory with its one entry, and behind it the record that names the PDB.
    record.writeUInt32LE(2, 12);
    record.writeUInt32LE(record.length - 28, 16);
    record.writeUInt32LE(recordAddress + 28, 20);
    record.writeUInt32LE(recordAt + 28, 24);
    record.write('RSDS', 28, 'latin1');
    information.copy(record, 32, 12, 28);
    debug.copy(record, 48, 8, 12);
    optional.writeUInt32LE(recordAddress, optional.length - 8 * DIRECTORIES + 48);
    optional.writeUInt32LE(28, optional.length - 8 * DIRECTORIES + 52);
    optional.writeUInt32LE(recordAt, 60);
    const head = Buffer.alloc(HEADERS_AT + 24);
    head.write('MZ', 0, 'latin1');
    head.writeUInt32LE(HEADERS_AT, 0x3c);
    head.write('PE\0\0', HEADERS_AT, 'latin1');
    head.writeUInt16LE(machine, HEADERS_AT + 4);
    head.writeUInt16LE(count + 1, HEADERS_AT + 6);
    head.writeUInt16LE(optional.length, HEADERS_AT + 20);
    head.writeUInt16LE(0x22, HEADERS_AT + 22);
    return { bytes: Buffer.concat([head, optional, headers, own, record]), code: codeIn(sections) };
  } finally {
    file.close();
  }
}
