/** Mini debug information (.gnu_debugdata): the names that distributions leave in stripped programs, a table of symbols in an ELF file of its own, packed by xz. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Fault } from '../base/fault.ts';
import { temporaryFolder } from '../base/temporary.ts';
import { messageOf } from '../base/thrown.ts';
import { unxz } from '../base/xz.ts';
import { FileBytes } from './common/bytes.ts';
import { copyElf } from './elf/copy.ts';
import { type ElfHeader, type ElfSection, NOBITS, Numbers, readHeader, readSections } from './elf/header.ts';
import { ARM, codeIndexOf, DYNSYM, FUNCTIONS, SYMTAB, wholeOf } from './elf/symbol-table.ts';
import { readObject } from './object.ts';

/** Large programs have some megabytes of them. */
const MOST_PACKED_BYTES = 64 << 20;
const MOST_UNPACKED_BYTES = 128 << 20;
const UNPACK_MS = 60_000;
const PIECE_BYTES = 1 << 20;
const STRTAB = 3;

async function unpack(file: FileBytes, { offset, size }: ElfSection): Promise<Buffer> {
  if (size > MOST_PACKED_BYTES)
    throw file.wrong(`its mini debug information has ${size} bytes, at most ${MOST_PACKED_BYTES} are read`);
  const end = Number(offset + size);
  function* packed(): Generator<Buffer> {
    for (let at = Number(offset); at < end; at += PIECE_BYTES)
      yield file.piece(at, Math.min(PIECE_BYTES, end - at), 'its mini debug information');
  }
  const found: Buffer[] = [];
  let total = 0;
  try {
    for await (const piece of unxz(Readable.from(packed()), { timeoutMs: UNPACK_MS })) {
      total += piece.length;
      if (total > MOST_UNPACKED_BYTES)
        throw file.wrong(`its mini debug information unpacks to more than ${MOST_UNPACKED_BYTES} bytes`);
      found.push(Buffer.from(piece));
    }
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault(
      'object_malformed',
      `${file.path}: its section .gnu_debugdata cannot be unpacked: ${messageOf(error)}`,
      error,
      'see whether xz, which unpacks it, is installed; else take the file anew from its package',
    );
  }
  return Buffer.concat(found);
}

/** Symbols of functions as they stand in a file, and their names. */
interface Table {
  symbols: Buffer;
  names: Buffer;
}

function tableIn(file: FileBytes, h: ElfHeader, wanted: number): Table | null {
  const sections = readSections(file, h);
  const table = sections.find(({ type }) => type === wanted);
  const strings = table && sections[table.link];
  if (!table) return null;
  if (!strings || strings.type === NOBITS) throw file.wrong('its symbols have no section of names');
  return {
    symbols: wholeOf(file, table, 'the table of its symbols'),
    names: wholeOf(file, strings, 'the section of its names'),
  };
}

/** One table of all names, since exported names stand in .dynsym alone. Sections have the program's numbers. */
function mergedTable(
  h: ElfHeader,
  tables: Table[],
  indexAt: (address: bigint) => number | undefined,
): { symbols: Buffer[]; names: Buffer[] } {
  const each = h.wide ? 24 : 16;
  const symbols: Buffer[] = [Buffer.alloc(each)];
  let before = 0;
  for (const table of tables) {
    const n = new Numbers(table.symbols, h.little);
    for (let at = 0; at + each <= table.symbols.length; at += each) {
      if (!FUNCTIONS.includes(table.symbols[at + (h.wide ? 4 : 12)]! & 0xf)) continue;
      const value = n.word(at + (h.wide ? 8 : 4), h.wide);
      const index = indexAt(h.machine === ARM ? value & ~1n : value);
      const name = n.u32(at);
      if (index === undefined || name >= table.names.length) continue;
      const symbol = Buffer.from(table.symbols.subarray(at, at + each));
      if (h.little) symbol.writeUInt32LE(name + before, 0);
      else symbol.writeUInt32BE(name + before, 0);
      if (h.little) symbol.writeUInt16LE(index, h.wide ? 6 : 14);
      else symbol.writeUInt16BE(index, h.wide ? 6 : 14);
      symbols.push(symbol);
    }
    before += table.names.length + 1;
  }
  return { symbols, names: tables.flatMap(({ names }) => [names, Buffer.alloc(1)]) };
}

/** Reads the table of the file inside. Throws a Fault where it is of another processor or another build. */
async function miniTable(file: FileBytes, h: ElfHeader, section: ElfSection, folder: string): Promise<Table> {
  const path = join(folder, 'mini');
  await writeFile(path, await unpack(file, section), { mode: 0o600 });
  const name = `the mini debug information of ${file.path}`;
  const [own, other] = [readObject(file.path).images[0]!, readObject(path, name).images[0]!];
  if (other.arch !== own.arch || (other.id !== null && other.id !== own.id))
    throw file.wrong(`its mini debug information is of ${other.id}, ${other.arch}`);
  const mini = new FileBytes(path, name);
  try {
    const inside = readHeader(mini);
    if (inside.wide !== h.wide || inside.little !== h.little)
      throw file.wrong('its mini debug information is of another class than it is itself');
    const table = tableIn(mini, inside, SYMTAB);
    if (!table) throw file.wrong('its mini debug information has no table of symbols');
    return table;
  } finally {
    mini.close();
  }
}

/** Calls `use` with a copy of the program in which the names are a table of symbols, and removes it. Throws a Fault where they are damaged. */
export async function withMiniSymbols<T>(path: string, use: (copy: string) => Promise<T>): Promise<T> {
  const folder = temporaryFolder('mini');
  try {
    const copy = join(folder, 'program');
    const file = new FileBytes(path);
    try {
      const h = readHeader(file);
      const sections = readSections(file, h);
      const section = sections.find(({ name, type }) => name === '.gnu_debugdata' && type !== NOBITS);
      if (!section) throw file.wrong('it has no mini debug information');
      const mini = await miniTable(file, h, section, folder);
      const exported = tableIn(file, h, DYNSYM);
      const tables = exported ? [exported, mini] : [mini];
      const { symbols, names } = mergedTable(h, tables, codeIndexOf(sections));
      const strings = { from: '.strtab', name: '.strtab', flags: 0n, type: STRTAB, content: names };
      const table = { type: SYMTAB, linked: '.strtab', entry: h.wide ? 24n : 16n, content: symbols };
      copyElf(file, path, copy, [strings, { from: '.symtab', name: '.symtab', flags: 0n, ...table }]);
    } finally {
      file.close();
    }
    return await use(copy);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
