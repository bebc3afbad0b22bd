/** Which of the formats a file is, by its first bytes, and what it says of itself. */

import { Fault } from '../base/fault.ts';
import { FileBytes } from './common/bytes.ts';
import type { ObjectFile } from './common/identity.ts';
import type { SymbolFormat } from './common/symbol-format.ts';
import { elf } from './elf.ts';
import { breakpad } from './formats/breakpad.ts';
import { macho } from './formats/macho.ts';
import { pdb } from './formats/pdb.ts';
import { pe } from './formats/pe.ts';
import { sourceMap } from './script/source-map.ts';

/** Every format that is read; a source map, which only looks like JSON, is asked last. */
const SYMBOL_FORMATS: readonly SymbolFormat[] = [elf, macho, pe, pdb, breakpad, sourceMap];

function formatIn(start: Buffer): SymbolFormat | undefined {
  return SYMBOL_FORMATS.find(({ recognise }) => recognise(start));
}

/** The name of the format that a file of these first 32 bytes has; null where it is none. */
export function formatOf(start: Buffer): string | null {
  return formatIn(start)?.name ?? null;
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

/** Whether a file that begins like this, 8 bytes of it at least, says it is a program, a library, or their debug file. */
export function isProgram(start: Buffer): boolean {
  return formatIn(start)?.isProgram ?? false;
}

/** The same of a file that is open already. */
export function objectIn(file: FileBytes): ObjectFile {
  const start = file.piece(0, Math.min(32, file.size), 'its beginning');
  const format = formatIn(start);
  const unread = Object.entries(UNREAD).find(([magic]) => start.toString('latin1').startsWith(magic))?.[1];
  if (unread) throw new Fault('object_malformed', `${file.path}: ${unread.what}`, undefined, unread.next);
  if (format) return format.read(file);
  const titles = SYMBOL_FORMATS.map(({ title }) => title);
  throw file.wrong(`neither ${titles.slice(0, -1).join(', ')} nor ${titles.at(-1)}`);
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
