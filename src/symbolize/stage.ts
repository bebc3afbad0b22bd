/** A folder for one symbol file, in which the engine finds that file and nothing else. */
import { constants } from 'node:fs';
import { chmod, copyFile, open, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Fault } from '../base/fault.ts';
import { temporaryFolder } from '../base/temporary.ts';
import { FileBytes } from '../objects/common/bytes.ts';
import type { Image } from '../objects/common/identity.ts';
import { copyElf } from '../objects/elf/copy.ts';
import { readHeader } from '../objects/elf/header.ts';
import { debugDirectoryAt, hasForeignLink } from '../objects/formats/pe.ts';
import { readObject } from '../objects/object.ts';
import { mergedSections } from './dwz.ts';
import { placeSplit } from './split.ts';
import { stubOf } from './stub.ts';
import { plainNames } from './zdebug.ts';

export interface SymbolFile {
  path: string;
  arch: string;
  /** The name of one of the formats in objects/object.ts. */
  format: string;
  /** The second halves of its units (.dwo, or one .dwp), and what dwz moved out of it. */
  split?: readonly string[];
  shared?: string | null;
}

export interface Stage {
  folder: string;
  /** Names in the folder: the file to ask, and what stands for every .dwo and .dwp file. */
  object: string;
  noSplit: string;
  /** What the file calls its lowest address. */
  base: bigint;
  /** Where code is, as distances from there: for any other address LLVM answers with the symbol before it. Null: unknown. */
  code: [bigint, bigint][] | null;
}

/** An empty ELF file that LLVM takes for the file of all split units, so that it opens no path that a unit names. */
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

/** The image of this processor in the file. Throws a Fault where it is not the file that it should be. */
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

/** A link leads LLVM to other files of this machine, by any path: the only check is a checksum, which is easy to forge. */
function refuseLinks(file: SymbolFile, link: string | null): void {
  if (link?.includes('/'))
    throw new Fault('object_malformed', `${file.path}: its .gnu_debuglink is a path, not a name`);
}

/** A copy that names no PDB: LLVM would open the file with that name anywhere on this machine. */
async function copyPe(path: string, to: string): Promise<void> {
  const file = new FileBytes(path);
  let at: number | null;
  try {
    if (hasForeignLink(file)) throw file.wrong('its symbols are in another file, which .gnu_debuglink names');
    at = debugDirectoryAt(file);
  } finally {
    file.close();
  }
  await copyFile(path, to, constants.COPYFILE_FICLONE);
  await chmod(to, 0o600);
  const copy = await open(to, 'r+');
  try {
    if (at !== null) await copy.write(Buffer.alloc(8), 0, 8, at);
  } finally {
    await copy.close();
  }
}

/** Copies an ELF file if the engine cannot read all of it as it stands; false: it can read the file itself. */
async function readable({ path, shared }: SymbolFile, to: string): Promise<boolean> {
  const file = new FileBytes(path);
  const other = shared ? new FileBytes(shared) : null;
  try {
    const merged = other ? await mergedSections(file, other, readHeader(file).little) : [];
    const rest = plainNames(file).filter(({ name }) => !merged.some((one) => one.name === name));
    const packed = new Map(plainNames(file).map(({ from, name }) => [name, from]));
    const replaced = [...merged.map((one) => ({ ...one, from: packed.get(one.name) ?? one.from })), ...rest];
    if (replaced.length > 0) copyElf(file, path, to, replaced);
    return replaced.length > 0;
  } finally {
    file.close();
    other?.close();
  }
}

/** Puts the file or its copy there; returns where its code is. */
async function place(file: SymbolFile, image: Image, folder: string): Promise<Stage['code']> {
  const object = join(folder, 'object');
  if (file.format === 'pe') await copyPe(file.path, object);
  else if (file.format === 'elf' && (await readable(file, object))) {
    // The copy is there.
  } else await symlink(resolve(file.path), file.format === 'pdb' ? `${object}.pdb` : object);
  if (file.format !== 'pdb') return image.code?.map(([from, end]) => [BigInt(from), BigInt(end)]) ?? null;
  const { bytes, code } = stubOf(file.path, 'object.pdb');
  await writeFile(object, bytes);
  return code;
}

/** Makes the folder, calls `use` with it, and removes it. Throws a Fault where the file is not the one that it should be. */
export async function staged<T>(file: SymbolFile, use: (stage: Stage) => Promise<T>): Promise<T> {
  const image = imageIn(file);
  refuseLinks(file, image.debug_link);
  const folder = temporaryFolder('symbols');
  try {
    const code = await place(file, image, folder);
    const packed = await placeSplit(file.split ?? [], folder);
    if (!packed) await writeFile(join(folder, 'none'), emptyElf());
    return await use({
      ...{ folder, object: 'object', noSplit: packed ?? 'none' },
      ...{ base: BigInt(image.base), code },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
