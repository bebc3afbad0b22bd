/** Reads a PDB's identity (LLVM, "The PDB File Format"): GUID of the information stream, age of the debug information. */
import type { FileBytes } from '../common/bytes.ts';
import { guidText, imageOf, type ObjectFile, pdbId } from '../common/identity.ts';
import type { SymbolFormat } from '../common/symbol-format.ts';

const PDB_MAGIC = 'Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0';
export const INFORMATION = 1;
export const DEBUG_INFORMATION = 3;
const DELETED = 0xffffffff;
/** Four bytes for each block of the file: enough for one of 17 GB. */
const MOST_DIRECTORY_BYTES = 16 << 20;
const MACHINES: Readonly<Record<number, string>> = {
  332: 'x86',
  452: 'arm',
  34404: 'x86_64',
  43620: 'arm64',
};
export const machineName = (number: number): string => MACHINES[number] ?? `coff-${number}`;

/** What the file system in a PDB says of its streams. */
export interface Container {
  blockSize: number;
  blocks: number;
  /** Sizes of the streams, then the numbers of their blocks, one stream after the other. */
  directory: Buffer;
}

function readBlocks(
  file: FileBytes,
  c: Omit<Container, 'directory'>,
  numbers: number[],
  what: string,
): Buffer {
  return Buffer.concat(
    numbers.map((number) => {
      if (number >= c.blocks) throw file.wrong(`${what} lies in block ${number} of ${c.blocks}`);
      return file.piece(number * c.blockSize, c.blockSize, what);
    }),
  );
}

/** Throws a Fault where the directory of streams contradicts the file's header. */
export function readContainer(file: FileBytes): Container {
  const head = file.piece(0, 56, 'the header of a PDB');
  const [blockSize, blocks] = [head.readUInt32LE(32), head.readUInt32LE(40)];
  const [directoryBytes, mapBlock] = [head.readUInt32LE(44), head.readUInt32LE(52)];
  if (![512, 1024, 2048, 4096, 8192, 16384, 32768].includes(blockSize))
    throw file.wrong(`blocks of ${blockSize} bytes`);
  if (blocks > Math.ceil(file.size / blockSize))
    throw file.wrong(`${blocks} blocks of ${blockSize} bytes, and the file has ${file.size} bytes`);
  const count = Math.ceil(directoryBytes / blockSize);
  if (count * 4 > blockSize || directoryBytes < 4 || directoryBytes > MOST_DIRECTORY_BYTES)
    throw file.wrong(`a directory of streams of ${directoryBytes} bytes`);
  const map = file.piece(mapBlock * blockSize, count * 4, 'the map of the directory of streams');
  const numbers = Array.from({ length: count }, (_, i) => map.readUInt32LE(4 * i));
  const about = { blockSize, blocks };
  const directory = readBlocks(file, about, numbers, 'the directory of streams');
  return { ...about, directory: directory.subarray(0, directoryBytes) };
}

/** `length` bytes of a stream; undefined where there is none of that number, or it is shorter. */
export function partOf(
  file: FileBytes,
  c: Container,
  stream: number,
  from: number,
  length: number,
): Buffer | undefined {
  const { directory, blockSize } = c;
  const count = directory.readUInt32LE(0);
  if (4 + 4 * count > directory.length)
    throw file.wrong(`${count} streams, which its directory has no room for`);
  if (stream >= count) return undefined;
  let at = 4 + 4 * count;
  for (let i = 0; i < stream; i++) at += 4 * Math.ceil(sizeOfStream(c, i) / blockSize);
  if (sizeOfStream(c, stream) < from + length) return undefined;
  const first = Math.floor(from / blockSize);
  const wanted = Math.ceil((from + length) / blockSize) - first;
  at += 4 * first;
  if (at + 4 * wanted > directory.length)
    throw file.wrong(`stream ${stream} has blocks outside of the directory`);
  const numbers = Array.from({ length: wanted }, (_, i) => directory.readUInt32LE(at + 4 * i));
  return readBlocks(file, c, numbers, `stream ${stream}`)
    .subarray(from - first * blockSize)
    .subarray(0, length);
}

/** How many bytes a stream has, 0 where there is none of that number. */
export function sizeOfStream(c: Container, stream: number): number {
  if (stream >= c.directory.readUInt32LE(0)) return 0;
  const size = c.directory.readUInt32LE(4 + 4 * stream);
  return size === DELETED ? 0 : size;
}

/** Of each module: the fixed part of its entry, behind which stand its two names. */
const MODULE_BYTES = 64;
/** Of the list of modules: programs of 10,000 have less, and the first ones that have lines end the search. */
const MOST_MODULES_BYTES = 8 << 20;

/** Whether any module has lines (LLVM, "The PDB DBI Stream"): GNU ld and tools that strip a PDB leave only public names. */
function hasLines(file: FileBytes, c: Container, debug: Buffer): boolean {
  const size = debug.readUInt32LE(24);
  const modules = partOf(file, c, DEBUG_INFORMATION, debug.length, Math.min(size, MOST_MODULES_BYTES));
  if (!modules) throw file.wrong(`a list of modules of ${size} bytes, which its stream does not have`);
  for (let at = 0; at + MODULE_BYTES <= modules.length; ) {
    if (modules.readUInt32LE(at + 40) > 0 || modules.readUInt32LE(at + 44) > 0) return true;
    const name = modules.indexOf(0, at + MODULE_BYTES);
    const object = name < 0 ? -1 : modules.indexOf(0, name + 1);
    if (object < 0) break;
    at = 4 * Math.ceil((object + 1) / 4);
  }
  return size > MOST_MODULES_BYTES;
}

/** The debug information's age is what linkers write into programs; the information stream's own may be another. */
function readPdb(file: FileBytes): ObjectFile {
  const c = readContainer(file);
  const information = partOf(file, c, INFORMATION, 0, 28);
  if (!information) throw file.wrong('a PDB without an information stream');
  const debug = partOf(file, c, DEBUG_INFORMATION, 0, 64);
  const age = debug ? debug.readUInt32LE(8) : information.readUInt32LE(8);
  const image = imageOf(debug ? machineName(debug.readUInt16LE(58)) : 'unknown', {
    ...pdbId(guidText(information.subarray(12, 28)), age),
    features: !debug ? [] : hasLines(file, c, debug) ? ['debug_info', 'symbol_table'] : ['symbol_table'],
  });
  return { format: 'pdb', images: [image] };
}

export const pdb: SymbolFormat = {
  name: 'pdb',
  title: 'PDB',
  isProgram: false,
  recognise: (start) => start.toString('latin1') === PDB_MAGIC,
  read: readPdb,
};
