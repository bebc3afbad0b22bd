/** Whether symbol files inside belong to the images that they are said to be for, by the ids that are written in them. */

import { type Digest, startDigest } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import { present } from '../../base/list.ts';
import type { JoinFrame, JoinSymbols } from '../../join/document.ts';
import { idsOf } from '../../join/store/images.ts';
import { type Extent, FileBytes } from '../../objects/common/bytes.ts';
import type { Image } from '../../objects/common/identity.ts';
import { machoSlices } from '../../objects/formats/macho.ts';
import { objectIn } from '../../objects/object.ts';
import type { Opened } from '../read/open.ts';

const PIECE_BYTES = 1 << 20;

/** Reads a content from its place in the bundle, after every byte was hashed. */
function within<T>(path: string, name: string, extents: Extent[], read: (file: FileBytes) => T): T {
  const file = new FileBytes(path, name, extents);
  try {
    return read(file);
  } finally {
    file.close();
  }
}

function digestOfPart(file: FileBytes, start: number, size: number): Digest {
  const digest = startDigest();
  for (let at = start; at < start + size; at += PIECE_BYTES)
    digest.update(file.piece(at, Math.min(PIECE_BYTES, start + size - at), 'a slice'));
  return digest.end();
}

function hasSlice(file: FileBytes, sha256: Digest): boolean {
  const { format } = objectIn(file);
  return (
    format === 'macho' &&
    machoSlices(file).some(({ start, size }) => digestOfPart(file, start, size) === sha256)
  );
}

/** Everything an image of this file can be known by in a trace. */
function namesOf(images: Image[], sha256: Digest): Set<string> {
  const ids = images.flatMap((image) => idsOf(image, sha256).map(({ id }) => id));
  return new Set([
    ...ids,
    ...images.flatMap(({ debug_id }) => (debug_id === null ? [] : [`debug:${debug_id}`])),
  ]);
}

/** An image without an id belongs to the build that its file is said to be of. That is stated, not proven: the file is not inside. */
export function isOfFile({ image_id, artifact }: Pick<JoinFrame, 'image_id' | 'artifact'>): boolean {
  return artifact !== null && image_id === artifact;
}

function lieOf(path: string, opened: Opened, symbols: JoinSymbols, frames: JoinFrame[]): string | null {
  const { sha256, file_sha256, name } = symbols;
  const extents = opened.located.get(sha256);
  const whole = opened.located.get(file_sha256);
  // A withheld file cannot be read; one that is missing otherwise is reported where contents are compared.
  if (!extents || !whole) return null;
  const images = namesOf(within(path, name, extents, objectIn).images, sha256);
  const other = frames.find(
    (frame) =>
      frame.symbols === sha256 &&
      frame.status !== 'approximate_by_name' &&
      !images.has(frame.image_id ?? '') &&
      !isOfFile(frame),
  );
  if (other)
    return `frame ${other.index} is in ${other.image_id}, and the symbols ${sha256} are of ${[...images].slice(0, 3).join(', ')}`;
  if (file_sha256 !== sha256 && !within(path, name, whole, (file) => hasSlice(file, sha256)))
    return `the symbols ${sha256} are no slice of ${file_sha256}, which the evidence is about`;
  return null;
}

/** Errors in the symbol files of the bundle at `path`. */
export function symbolLies(path: string, opened: Opened): string[] {
  const { join } = present(opened.traced);
  const byFile = Map.groupBy(join.frames, ({ symbols }) => symbols);
  return join.symbols.flatMap((symbols) => {
    try {
      return lieOf(path, opened, symbols, byFile.get(symbols.sha256) ?? []) ?? [];
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'object_malformed') throw error;
      return [`the symbols ${symbols.sha256} cannot be read: ${error.message}`];
    }
  });
}
