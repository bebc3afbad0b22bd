/** The images of a symbol file, each as a file of its own: of a universal Mach-O file its slices, of all others the file itself. */

import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Digest } from '../base/digest.ts';
import { writeAside } from '../base/files.ts';
import { itemAt } from '../base/list.ts';
import type { BlobStore } from '../store/blobs.ts';
import { FileBytes } from './common/bytes.ts';
import type { Image } from './common/identity.ts';
import { machoSlices } from './formats/macho.ts';
import { readObject } from './object.ts';

export interface Slice {
  sha256: Digest;
  image: Image;
}

/** Copies a part of a file into the store, under its own digest. */
async function cut(path: string, start: number, size: number, blobs: BlobStore): Promise<Digest> {
  const aside = join(blobs.folder, `slice-${process.pid}-${start}`);
  try {
    await writeAside(
      aside,
      (file) => pipeline(createReadStream(path, { start, end: start + size - 1 }), file.createWriteStream()),
      false,
    );
    return (await blobs.putFile(aside)).sha256;
  } finally {
    await rm(aside, { force: true });
  }
}

/** `path` is the file with this digest, in the store. */
export async function slicesOf(path: string, sha256: Digest, blobs: BlobStore): Promise<Slice[]> {
  const { format, images } = readObject(path);
  if (images.length === 1 || format !== 'macho') return images.map((image) => ({ sha256, image }));
  const file = new FileBytes(path);
  try {
    const places = machoSlices(file);
    const slices: Slice[] = [];
    for (const [n, image] of images.entries()) {
      const { start, size } = itemAt(places, n);
      if (size === 0 || start + size > file.size) throw file.wrong(`slice ${n} would end at ${start + size}`);
      slices.push({ sha256: await cut(path, start, size, blobs), image });
    }
    return slices;
  } finally {
    file.close();
  }
}
