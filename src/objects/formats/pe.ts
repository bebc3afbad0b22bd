/** Reads a PE file's identity (Microsoft, "PE Format"): time stamp and size, and the PDB that its debug directory names. */
import type { FileBytes } from '../common/bytes.ts';
import { type Feature, guidText, imageOf, type ObjectFile, pdbId } from '../common/identity.ts';
import type { SymbolFormat } from '../common/symbol-format.ts';
import { machineName } from './pdb.ts';

const DEBUG_DIRECTORY = 6;
const CODEVIEW = 2;
const MOST_ENTRIES = 64;

/** Names of more than 8 bytes stand in a table: real files have a handful of those. */
const MOST_NAME_BYTES = 64;
const CODE = 0x20;

interface Section {
  name: string;
  address: number;
  size: number;
  offset: number;
  stored: number;
  isCode: boolean;
}

/** Where an address of the loaded image lies in the file; undefined where it does not. */
function offsetOf(sections: Section[], address: number): number | undefined {
  const found = sections.find(
    (s) => address >= s.address && address - s.address < Math.min(s.size, s.stored),
  );
  return found && found.offset + address - found.address;
}

function codeView(
  file: FileBytes,
  directory: number | undefined,
  bytes: number,
): { id: string; debug_id: string } | undefined {
  const count = Math.min(MOST_ENTRIES, Math.floor(bytes / 28));
  if (directory === undefined) return undefined;
  for (let i = 0; i < count; i++) {
    const entry = file.piece(directory + 28 * i, 28, 'the debug directory');
    const [type, size, at] = [entry.readUInt32LE(12), entry.readUInt32LE(16), entry.readUInt32LE(24)];
    if (type !== CODEVIEW || size < 24) continue;
    const record = file.piece(at, 24, 'the CodeView record');
    if (record.toString('latin1', 0, 4) === 'RSDS')
      return pdbId(guidText(record.subarray(4, 20)), record.readUInt32LE(20));
  }
  return undefined;
}

/** A name as it stands, or `/N`: at N in the table of strings behind the symbols; a table that is not there names nothing. */
function sectionName(file: FileBytes, coff: Buffer, header: Buffer): string {
  const name = header.toString('latin1', 0, 8).replace(/\0.*$/s, '');
  const [, digits] = /^\/(\d{1,7})$/.exec(name) ?? [];
  const [symbols, count] = [coff.readUInt32LE(12), coff.readUInt32LE(16)];
  const at = symbols + 18 * count + Number(digits ?? 0);
  if (digits === undefined || symbols === 0 || at >= file.size) return name;
  const text = file.piece(at, Math.min(MOST_NAME_BYTES, file.size - at), 'the name of a section');
  return text.toString('latin1').replace(/\0.*$/s, '');
}

const EXPORTS = 0;

/** What the file itself can tell about addresses: MinGW's compilers write DWARF into it, and a table of symbols. */
function featuresOf({ coff, optional, wide }: Headers, sections: Section[]): Feature[] {
  const has = (name: RegExp): boolean => sections.some((one) => one.stored > 0 && name.test(one.name));
  const exportsAt = (wide ? 112 : 96) + 8 * EXPORTS;
  const found: [Feature, boolean][] = [
    ['debug_info', has(/^\.debug_info$/)],
    ['symbol_table', coff.readUInt32LE(12) > 0 && coff.readUInt32LE(16) > 0],
    ['exports', exportsAt + 8 <= optional.length && optional.readUInt32LE(exportsAt + 4) > 0],
    ['unwind', has(/^\.(?:pdata|eh_frame|debug_frame)$/)],
    ['code', sections.some(({ isCode, stored }) => isCode && stored > 0)],
  ];
  return found.flatMap(([feature, is]) => (is ? [feature] : []));
}

interface Headers {
  coff: Buffer;
  optional: Buffer;
  wide: boolean;
  /** Where the optional header stands. */
  optionalAt: number;
  /** Where in the optional header the place and length of the debug directory are. */
  debugAt: number;
}

function readHeaders(file: FileBytes): Headers {
  const start = file.piece(0x3c, 4, 'the DOS header').readUInt32LE(0);
  const coff = file.piece(start, 24, 'the COFF header');
  if (coff.toString('latin1', 0, 4) !== 'PE\0\0') throw file.wrong('a DOS program without a PE header');
  const optionalBytes = coff.readUInt16LE(20);
  if (optionalBytes < 96) throw file.wrong(`an optional header of ${optionalBytes} bytes`);
  const optional = file.piece(start + 24, optionalBytes, 'the optional header');
  const magic = optional.readUInt16LE(0);
  if (magic !== 0x10b && magic !== 0x20b) throw file.wrong(`an optional header of kind ${magic}`);
  const wide = magic === 0x20b;
  return { coff, optional, wide, optionalAt: start + 24, debugAt: (wide ? 112 : 96) + 8 * DEBUG_DIRECTORY };
}

/** Throws a Fault where the file contradicts its headers. */
function readPe(file: FileBytes): ObjectFile {
  const headers = readHeaders(file);
  const { coff, optional, wide, optionalAt, debugAt } = headers;
  const [machine, sectionCount] = [coff.readUInt16LE(4), coff.readUInt16LE(6)];
  const stamp = coff.readUInt32LE(8);
  const table = file.piece(optionalAt + optional.length, 40 * sectionCount, 'the table of sections');
  const sections = Array.from({ length: sectionCount }, (_, i) => ({
    name: sectionName(file, coff, table.subarray(40 * i, 40 * i + 8)),
    isCode: (table.readUInt32LE(40 * i + 36) & CODE) !== 0,
    size: table.readUInt32LE(40 * i + 8),
    address: table.readUInt32LE(40 * i + 12),
    stored: table.readUInt32LE(40 * i + 16),
    offset: table.readUInt32LE(40 * i + 20),
  }));
  const directory =
    debugAt + 8 <= optional.length
      ? { at: offsetOf(sections, optional.readUInt32LE(debugAt)), bytes: optional.readUInt32LE(debugAt + 4) }
      : undefined;
  const named = directory && codeView(file, directory.at, directory.bytes);
  const codeId = `${stamp.toString(16).padStart(8, '0')}${optional.readUInt32LE(56).toString(16)}`;
  const base = wide ? optional.readBigUInt64LE(24) : BigInt(optional.readUInt32LE(28));
  const image = imageOf(machineName(machine), {
    base: `0x${base.toString(16)}`,
    id: `pe:${codeId}`,
    debug_id: named?.debug_id ?? null,
    pdb: named?.id ?? null,
    code: sections
      .filter(({ isCode, size }) => isCode && size > 0)
      .map(({ address, size }) => [`0x${address.toString(16)}`, `0x${(address + size).toString(16)}`]),
    features: featuresOf(headers, sections),
  });
  return { format: 'pe', images: [image] };
}

/** Where the file says which PDB it belongs to, 8 bytes which can be zeros; null where it does not say. */
export function debugDirectoryAt(file: FileBytes): number | null {
  const { optional, optionalAt, debugAt } = readHeaders(file);
  return debugAt + 8 <= optional.length ? optionalAt + debugAt : null;
}

/** Whether a section is named as those that lead LLVM to another file; such a name is too long to stand in its header. */
export function hasForeignLink(file: FileBytes): boolean {
  const { coff } = readHeaders(file);
  const [symbols, count] = [coff.readUInt32LE(12), coff.readUInt32LE(16)];
  if (symbols === 0) return false;
  const at = symbols + 18 * count;
  const bytes = file.piece(at, 4, 'the table of strings').readUInt32LE(0);
  return file.piece(at, bytes, 'the table of strings').includes('gnu_debuglink');
}

const EXCEPTION_DIRECTORY = 3;
/** An image is held whole while a stack is walked by its table. */
const MOST_IMAGE_BYTES = 512 << 20;

/** The exception directory (.pdata), and bytes of the image by their distance from its beginning; undefined where it has none. */
export function exceptionDirectory(
  file: FileBytes,
): { directory: Buffer; read: (address: number, length: number) => Buffer | undefined } | undefined {
  const { coff, optional, wide, optionalAt } = readHeaders(file);
  const at = (wide ? 112 : 96) + 8 * EXCEPTION_DIRECTORY;
  if (at + 8 > optional.length) return undefined;
  const table = file.piece(optionalAt + optional.length, 40 * coff.readUInt16LE(6), 'the table of sections');
  const sections = Array.from({ length: coff.readUInt16LE(6) }, (_, i) => ({
    address: table.readUInt32LE(40 * i + 12),
    stored: table.readUInt32LE(40 * i + 16),
    offset: table.readUInt32LE(40 * i + 20),
  }));
  const bytes = file.whole(MOST_IMAGE_BYTES);
  const read = (address: number, length: number): Buffer | undefined => {
    const found = sections.find(
      (one) => address >= one.address && address + length <= one.address + one.stored,
    );
    const from = found ? found.offset + address - found.address : -1;
    return from >= 0 && from + length <= bytes.length ? bytes.subarray(from, from + length) : undefined;
  };
  const directory = read(optional.readUInt32LE(at), optional.readUInt32LE(at + 4));
  return directory && directory.length > 0 ? { directory, read } : undefined;
}

export const pe: SymbolFormat = {
  name: 'pe',
  title: 'PE',
  isProgram: true,
  recognise: (start) => start.toString('latin1', 0, 2) === 'MZ',
  read: readPe,
};
