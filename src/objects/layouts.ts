/** Folders of symbol files as people keep them, where a file's path names its build: a claim that is compared with the file. */
import { closeSync, constants, opendirSync, openSync, readSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

import { asFault, Fault } from '../base/fault.ts';
import { itemAt } from '../base/list.ts';
import { errnoOf } from '../base/thrown.ts';
import { type Image, pdbId } from './common/identity.ts';
import { formatOf } from './object.ts';

export interface SymbolFile {
  path: string;
  /** The id that the path claims, in the form of Image.id. */
  says: string | null;
  layout: 'build-id' | 'ssqp' | 'debuginfod' | 'plain';
}

const MOST_ENTRIES = 1_000_000;
const MOST_DEPTH = 32;
const START_BYTES = 32;

/** What a path says by the customs of gdb, of symbol servers (SSQP key conventions) and of debuginfod. */
export function claimOf(path: string): Pick<SymbolFile, 'says' | 'layout'> {
  const [file = '', key = '', name = ''] = resolve(path).split('/').reverse();
  const gdb = /^([0-9a-f]{2,126}?)(?:\.debug)?$/.exec(file)?.[1];
  if (gdb && name === '.build-id' && /^[0-9a-f]{2}$/.test(key) && gdb.length % 2 === 0)
    return { says: `elf:${key}${gdb}`, layout: 'build-id' };
  if (/^(?:debuginfo|executable)$/.test(file) && /^(?:[0-9a-f]{2}){8,64}$/.test(key))
    return { says: `elf:${key}`, layout: 'debuginfod' };
  // Symbol servers do not tell upper from lower case.
  if (name.toLowerCase() !== file.toLowerCase()) return { says: null, layout: 'plain' };
  const says = ssqpId(file.toLowerCase(), key.toLowerCase());
  return { says, layout: says === null ? 'plain' : 'ssqp' };
}

function ssqpId(file: string, key: string): string | null {
  const elf = /^elf-buildid(?:-sym)?-((?:[0-9a-f]{2}){1,64})$/.exec(key)?.[1];
  if (elf) return `elf:${elf}`;
  const macho = /^mach-uuid(?:-sym)?-([0-9a-f]{32})$/.exec(key)?.[1];
  if (macho) return `macho:${macho}`;
  const pdb = /^([0-9a-f]{32})([0-9a-f]{1,8})$/.exec(key);
  if (pdb && file.endsWith('.pdb'))
    return pdbId(itemAt(pdb, 1).toUpperCase(), Number.parseInt(itemAt(pdb, 2), 16)).id;
  return /^[0-9a-f]{9,16}$/.test(key) && !file.endsWith('.pdb') ? `pe:${key}` : null;
}

/** Null where the file matches its path, or the path claims nothing; else a sentence with what was expected and found. */
export function contradiction(says: string | null, images: Image[]): string | null {
  if (says === null || images.some(({ id }) => id === says)) return null;
  const found = images.map(({ id }) => id ?? 'a build without an id').join(', ');
  return `its path says ${says}, and it is ${found || 'of no build'}`;
}

/** Whether a file begins as an object file does. One that cannot be read counts as well: the read that follows reports why. */
export function isObject(path: string): boolean {
  let fd: number;
  try {
    // What was a file a moment ago may now be a pipe, on which opening would wait, or a link out of the folder.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    return errnoOf(error) !== 'ELOOP';
  }
  try {
    const start = Buffer.alloc(START_BYTES);
    const format = formatOf(start.subarray(0, readSync(fd, start, 0, START_BYTES, 0)));
    // The folder may hold other JSON: a source map is recognised by its name.
    if (format === 'sourcemap') return path.endsWith('.map');
    return format !== null;
  } catch {
    return true;
  } finally {
    closeSync(fd);
  }
}

interface Entry {
  path: string;
  isFolder: boolean;
}

/** A folder's files and folders in the order of their names' bytes; links, pipes and devices are left out. */
function entriesOf(folder: string, count: () => void): Entry[] {
  const found: Entry[] = [];
  try {
    const open = opendirSync(folder);
    try {
      for (let entry = open.readSync(); entry; entry = open.readSync()) {
        count();
        if (entry.isFile() || entry.isDirectory())
          found.push({ path: join(folder, entry.name), isFolder: entry.isDirectory() });
      }
    } finally {
      open.closeSync();
    }
  } catch (error) {
    throw asFault('usage', `the folder ${folder} cannot be read`, error);
  }
  return found.sort((a, b) => Buffer.compare(Buffer.from(basename(a.path)), Buffer.from(basename(b.path))));
}

/** Yields the object files of a folder, always in the same order, with what their paths claim. Throws a Fault where it is too large. */
export async function* symbolFilesIn(
  folder: string,
  most: number = MOST_ENTRIES,
): AsyncGenerator<SymbolFile> {
  let entries = 0;
  const count = (): void => {
    if (++entries > most)
      throw new Fault('usage', `${folder} has more than ${most} entries: name a smaller folder`);
  };
  function* walk(at: string, depth: number): Generator<SymbolFile> {
    if (depth > MOST_DEPTH)
      throw new Fault('usage', `${at} is deeper than ${MOST_DEPTH} folders: name one further inside`);
    for (const { path, isFolder } of entriesOf(at, count))
      if (isFolder) yield* walk(path, depth + 1);
      else if (isObject(path)) yield { path, ...claimOf(path) };
  }
  yield* walk(folder, 0);
}
