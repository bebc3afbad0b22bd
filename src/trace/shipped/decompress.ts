/** Compressed streams, known by their first bytes: gzip and zstd by Node, xz by the program of that name. */
import { pipeline, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';

import { execThrough } from '../../base/exec.ts';
import { Fault } from '../../base/fault.ts';
import { Pieces } from './pieces.ts';
import type { Unpacking } from './unpacking.ts';

/** Files made with xz -9 need 65 MiB; a header may ask for gigabytes. */
const XZ = ['--decompress', '--stdout', '--format=xz', '--threads=1', '--memlimit-decompress=134217728'];

function byNode(source: AsyncIterable<Uint8Array>, kind: 'gzip' | 'zstd'): AsyncIterable<Uint8Array> {
  const unpacked = kind === 'gzip' ? createGunzip() : createZstdDecompress();
  // What fails on the way arrives as an error of the last stream.
  pipeline(Readable.from(source), unpacked, () => {});
  return unpacked;
}

async function unpackedOf(
  source: AsyncIterable<Uint8Array>,
  timeoutMs: number,
): Promise<AsyncIterable<Uint8Array>> {
  const pieces = new Pieces(source);
  const start = (await pieces.peek(6)).toString('hex');
  if (start.startsWith('1f8b')) return byNode(pieces.take(), 'gzip');
  if (start.startsWith('28b52ffd')) return byNode(pieces.take(), 'zstd');
  if (start === 'fd377a585a00') return execThrough('xz', XZ, Readable.from(pieces.take()), { timeoutMs });
  return pieces.take();
}

/** What was compressed, or the bytes themselves; counted as they come, so that no bomb goes off. */
export async function* decompressed(
  source: AsyncIterable<Uint8Array>,
  name: string,
  unpacking: Unpacking,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of await unpackedOf(source, unpacking.limits.unpackMs)) {
      unpacking.takeBytes(name, piece.length);
      yield piece;
    }
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault('artifact_malformed', `${name} cannot be unpacked: ${(error as Error).message}`, error);
  }
}
