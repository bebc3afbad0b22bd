/** A file as it was shipped: a program, a Debian package, or anything else; hashed as it is read, so that both are of the same bytes. */
import { open } from 'node:fs/promises';
import { basename } from 'node:path';

import { startDigest } from '../base/digest.ts';
import { asFault } from '../base/fault.ts';
import { Pieces } from '../base/pieces.ts';
import type { Shipped } from '../join/store/artifacts.ts';
import { isProgram } from '../objects/object.ts';
import { DEB_MAGIC, readDeb } from './deb.ts';
import type { Unpacking } from './unpacking.ts';

/** Throws a Fault where it begins like a program or a package and is malformed; any other file is an artifact without images. */
export async function shippedFile(path: string, unpacking: Unpacking): Promise<Shipped> {
  const file = await open(path).catch((error: unknown) => {
    throw asFault('usage', `${path} cannot be read`, error);
  });
  try {
    if (!(await file.stat()).isFile()) throw asFault('usage', path, new Error('no plain file'));
    const digest = startDigest();
    let sizeBytes = 0;
    const hashed = async function* (): AsyncGenerator<Uint8Array> {
      for await (const piece of file.createReadStream({ autoClose: false, highWaterMark: 1 << 18 })) {
        unpacking.check();
        digest.update(piece as Buffer);
        sizeBytes += (piece as Buffer).length;
        yield piece as Buffer;
      }
    };
    const pieces = new Pieces(hashed());
    const start = await pieces.peek(DEB_MAGIC.length);
    const rest: Pick<Shipped, 'images' | 'build' | 'contents'> = { images: [], build: {}, contents: [] };
    if (start.toString('latin1') === DEB_MAGIC) {
      const found = await readDeb(pieces, path, unpacking);
      return { kind: 'debian_package', ...rest, ...found, sha256: digest.end(), sizeBytes };
    }
    const name = basename(path);
    if (isProgram(start)) {
      const found = await unpacking.readProgram(pieces.take(), path);
      return { kind: 'file', ...rest, name, ...found, sha256: digest.end(), sizeBytes };
    }
    for await (const _ of pieces.take());
    return { kind: 'file', ...rest, name, sha256: digest.end(), sizeBytes };
  } finally {
    await file.close();
  }
}
