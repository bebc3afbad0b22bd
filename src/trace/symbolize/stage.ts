/** A folder for one symbol file, in which the engine finds that file and nothing else it might look for. */
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { Fault } from '../../base/fault.ts';
import { FileBytes } from '../bytes.ts';
import type { Image } from '../identity.ts';
import { readObject } from '../object.ts';
import { hasForeignLink } from '../pe.ts';
import { stubOf } from './stub.ts';

export interface SymbolFile {
  path: string;
  arch: string;
  format: 'elf' | 'macho' | 'pe' | 'pdb' | 'breakpad';
}

export interface Stage {
  folder: string;
  /** Names in the folder: the file to ask, and what stands for every .dwo and .dwp file. */
  object: string;
  noSplit: string;
  /** What the file calls its lowest address. */
  base: bigint;
}

/** An ELF file of nothing, which LLVM takes for the place of all split units, so that it opens no path that a unit names. */
function emptyElf(): Buffer {
  const b = Buffer.alloc(64);
  b.write('\x7fELF\x02\x01\x01', 0, 'latin1');
  b.writeUInt16LE(1, 16);
  b.writeUInt16LE(62, 18);
  b.writeUInt32LE(1, 20);
  b.writeUInt16LE(64, 52);
  b.writeUInt16LE(64, 58);
  return b;
}

/** The image of this processor in the file. Throws a Fault where it is another file than it is said to be. */
export function imageIn(file: SymbolFile): Image {
  const { format, images } = readObject(file.path);
  const image = images.find(({ arch }) => arch === file.arch);
  if (format !== file.format || !image)
    throw new Fault(
      'object_malformed',
      `${file.path}: ${format} of ${images.map(({ arch }) => arch).join(', ')}, not ${file.format} of ${file.arch}`,
    );
  return image;
}

/** Links that lead LLVM to other files of this machine: it follows any path, and compares a checksum that anybody can write. */
function refuseLinks(file: SymbolFile, image: Image): void {
  const wrong = (what: string): Fault => new Fault('object_malformed', `${file.path}: ${what}`);
  if (image.debug_link?.includes('/')) throw wrong('its .gnu_debuglink is a path, not a name');
  if (file.format !== 'pe') return;
  const bytes = new FileBytes(file.path);
  try {
    if (hasForeignLink(bytes)) throw wrong('its symbols are in another file, which .gnu_debuglink names');
  } finally {
    bytes.close();
  }
}

/** Makes the folder, calls `use` with it, and removes it. Throws a Fault where the file is not what it is said to be. */
export async function staged<T>(file: SymbolFile, use: (stage: Stage) => Promise<T>): Promise<T> {
  const image = imageIn(file);
  refuseLinks(file, image);
  const folder = await mkdtemp(join(tmpdir(), 'reenact-symbols-'));
  try {
    const isPdb = file.format === 'pdb';
    await symlink(resolve(file.path), join(folder, isPdb ? 'object.pdb' : 'object'));
    if (isPdb) await writeFile(join(folder, 'object'), stubOf(file.path, 'object.pdb'));
    await writeFile(join(folder, 'none'), emptyElf());
    return await use({ folder, object: 'object', noSplit: 'none', base: BigInt(image.base) });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
