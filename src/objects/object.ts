/** Which of the formats a file is, by its first bytes, and what it says of itself. */

import { Fault } from '../base/fault.ts';
import { FileBytes } from './common/bytes.ts';
import type { ObjectFile } from './common/identity.ts';
import { readElf } from './elf.ts';
import { readBreakpad } from './formats/breakpad.ts';
import { MOST_SLICES, readMachO } from './formats/macho.ts';
import { PDB_MAGIC, readPdb } from './formats/pdb.ts';
import { readPe } from './formats/pe.ts';
import { readSourceMap } from './script/source-map.ts';

const MACHO = ['feedface', 'feedfacf', 'cefaedfe', 'cffaedfe', 'cafebabe', 'cafebabf'];

/** Java classes begin like a fat file, with their version, 45 or later, in the place of the number of slices. */
function isJava(start: Buffer): boolean {
  return start[0] === 0xca && start.length >= 8 && start.readUInt32BE(4) > MOST_SLICES;
}

/** Which of the formats a file of these first 32 bytes is; null where it is none. */
export function formatOf(start: Buffer): ObjectFile['format'] | null {
  const text = start.toString('latin1');
  if (text.startsWith('\x7fELF')) return 'elf';
  if (text === PDB_MAGIC) return 'pdb';
  if (text.startsWith('MODULE ')) return 'breakpad';
  if (MACHO.includes(start.toString('hex', 0, 4))) return isJava(start) ? null : 'macho';
  if (text.startsWith('MZ')) return 'pe';
  return /^(?:\s*\{|\)\]\}')/.test(text) ? 'sourcemap' : null;
}

/** Common symbol formats that are not supported, each by its first bytes, with what to give instead: nothing is wrong with such a file. */
const UNREAD: Readonly<Record<string, { what: string; next: string }>> = {
  BSJB: {
    what: 'a portable PDB of .NET, which is not read: it knows methods by tokens, not by addresses',
    next: 'build with <DebugType>full</DebugType>, which writes a Windows PDB, and add that',
  },
  '\0asm': {
    what: 'WebAssembly, which is not read: no trace that is read here names places in it',
    next: 'add the source map that the compiler wrote for it (emcc -gsource-map), where the trace is of JavaScript',
  },
};

const READERS: Readonly<Record<ObjectFile['format'], (file: FileBytes) => ObjectFile>> = {
  elf: readElf,
  pdb: readPdb,
  breakpad: readBreakpad,
  macho: readMachO,
  pe: readPe,
  sourcemap: readSourceMap,
};

/** Whether a file that begins like this, 8 bytes of it at least, says it is a program, a library, or their debug file. */
export function isProgram(start: Buffer): boolean {
  return ['elf', 'pe', 'macho'].includes(formatOf(start) ?? '');
}

/** The same of a file that is open already. */
export function objectIn(file: FileBytes): ObjectFile {
  const start = file.piece(0, Math.min(32, file.size), 'its beginning');
  const format = formatOf(start);
  const unread = Object.entries(UNREAD).find(([magic]) => start.toString('latin1').startsWith(magic))?.[1];
  if (unread) throw new Fault('object_malformed', `${file.path}: ${unread.what}`, undefined, unread.next);
  if (!format) throw file.wrong('neither ELF, Mach-O, PE, PDB, a Breakpad symbol file nor a source map');
  return READERS[format](file);
}

/** Reads the identities of an object or symbol file, called `name` in messages. Throws a Fault where it is none, or is malformed. */
export function readObject(path: string, name: string = path): ObjectFile {
  const file = new FileBytes(path, name);
  try {
    return objectIn(file);
  } finally {
    file.close();
  }
}
