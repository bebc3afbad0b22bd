/** Compressed streams, known by their first bytes: gzip and zstd by Node, xz by the program of that name. */

import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Fault } from '../base/fault.ts';
import { Pieces } from '../base/pieces.ts';
import { messageOf } from '../base/thrown.ts';
import { unxz } from '../base/xz.ts';
import { isZstd, unzstd } from '../base/zstd.ts';
import type { Unpacking } from './unpacking.ts';

function gunzipped(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const unpacked = createGunzip();
  // Errors of the other streams arrive as an error of the last one.
  pipeline(Readable.from(source), unpacked, () => {});
  return unpacked;
}

async function unpackedOf(
  source: AsyncIterable<Uint8Array>,
  timeoutMs: number,
): Promise<AsyncIterable<Uint8Array>> {
  const pieces = new Pieces(source);
  const start = await pieces.peek(6);
  const hex = start.toString('hex');
  if (hex.startsWith('1f8b')) return gunzipped(pieces.take());
  if (isZstd(start)) return unzstd(pieces.take());
  if (hex === 'fd377a585a00') return unxz(Readable.from(pieces.take()), { timeoutMs });
  return pieces.take();
}

/** The unpacked bytes, or the bytes themselves; counted as they come, as a guard against archive bombs. */
export async function* decompressed(
  source: AsyncIterable<Uint8Array>,
  name: string,
  unpacking: Unpacking,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of await unpackedOf(source, unpacking.limits.unpackMs)) {
      unpacking.takeBytes(name, piece.length);
      if (piece.length > 0) yield piece;
    }
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault('artifact_malformed', `${name} cannot be unpacked: ${messageOf(error)}`, error);
  }
}
