/** What names a build, as the linker wrote it into programs and their symbol files. */
import { Fault } from '../base/fault.ts';
import { digestOfFile } from '../base/files.ts';
import type { Image, ObjectFile } from '../objects/common/identity.ts';
import { type Producers, producersOf } from '../objects/dwarf/producer.ts';
import { type GoBuild, goBuildInfo } from '../objects/go/build-id.ts';
import { readObject } from '../objects/object.ts';
import { type Quality, qualityOf } from '../objects/quality.ts';

/** A program or symbol file of one processor, and what it can tell of an address. */
export type IdentifiedImage = Image & { quality: Quality };
/** What made it, as it says. */
export type Built = Producers & { go: GoBuild | null };
/** What names the build that a file is of; or why it cannot be read. */
export type IdentifiedSymbols = { path: string } & (
  | ({ sha256: string; format: ObjectFile['format']; images: IdentifiedImage[] } & Built)
  | { code: string; message: string; next: string }
);

/** What made it, as it says; debug information that is damaged does not hide what names the file. */
async function builtOf(path: string): Promise<Built> {
  const nothing = { producers: [], splitUnits: 0, unread: [], go: null };
  try {
    return { ...(await producersOf(path)), go: goBuildInfo(path) };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { ...nothing, unread: [error.message] };
  }
}

async function look(path: string): Promise<IdentifiedSymbols> {
  try {
    const { format, images } = readObject(path);
    const isRead = format === 'elf' || format === 'macho';
    const built = isRead ? await builtOf(path) : { producers: [], splitUnits: 0, unread: [], go: null };
    // Sections only hint at it, units say it.
    const isSure = format === 'elf' && built.unread.length === 0;
    const ranked = images.map((image) => {
      const known = isSure ? { ...image, split: built.splitUnits > 0 } : image;
      return { ...known, quality: qualityOf(format, known) };
    });
    return { path, sha256: await digestOfFile(path), format, images: ranked, ...built };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { path, code: error.code, message: error.message, next: error.next };
  }
}

/** Looks at each file; one that cannot be read is in the result, and keeps no other from it. */
export async function identifySymbols(paths: readonly string[]): Promise<IdentifiedSymbols[]> {
  if (paths.length === 0) throw new Fault('usage', 'name at least one file');
  const all: IdentifiedSymbols[] = [];
  for (const path of paths) all.push(await look(path));
  return all;
}
