/** Which of the formats a file is, by its first bytes, and what it says of itself. */

import { readBreakpad } from './breakpad.ts';
import { FileBytes } from './bytes.ts';
import { readElf } from './elf.ts';
import type { ObjectFile } from './identity.ts';
import { readMachO } from './macho.ts';
import { PDB_MAGIC, readPdb } from './pdb.ts';
import { readPe } from './pe.ts';
import { readSourceMap } from './source-map.ts';

const MACHO = ['feedface', 'feedfacf', 'cefaedfe', 'cffaedfe', 'cafebabe', 'cafebabf'];

/** Reads the identities of an object or symbol file. Throws a Fault where it is none, or is not what it says. */
export function readObject(path: string): ObjectFile {
  const file = new FileBytes(path);
  try {
    const start = file.piece(0, Math.min(32, file.size), 'its beginning');
    const text = start.toString('latin1');
    if (text.startsWith('\x7fELF')) return readElf(file);
    if (text === PDB_MAGIC) return readPdb(file);
    if (text.startsWith('MODULE ')) return readBreakpad(file);
    if (MACHO.includes(start.toString('hex', 0, 4))) return readMachO(file);
    if (text.startsWith('MZ')) return readPe(file);
    if (/^(?:\s*\{|\)\]\}')/.test(text)) return readSourceMap(file);
    throw file.wrong('neither ELF, Mach-O, PE, PDB, a Breakpad symbol file nor a source map');
  } finally {
    file.close();
  }
}
