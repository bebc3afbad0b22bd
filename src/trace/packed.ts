/** Traces that were stored compressed, as systemd-coredump stores cores (zstd; before, lz4 or xz), or as people send them (gzip). */

import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream';

import { createGunzip } from 'node:zlib';
import { execThrough } from '../base/exec.ts';
import { Fault } from '../base/fault.ts';
import { Pieces } from '../base/pieces.ts';
import { temporaryFolder } from '../base/temporary.ts';
import { messageOf } from '../base/thrown.ts';
import { unxz } from '../base/xz.ts';
import { isZstd, unzstd } from '../base/zstd.ts';
import { CORE_HEAD_BYTES, isCore } from './formats/core.ts';
import { TRACE_LIMITS, wrongTrace } from './model/trace.ts';

/** Limits of an unpacked core: its whole size, and the bytes that are not zero and so use the disk. */
const CORE_LIMITS = { unpackedBytes: 64 * 2 ** 30, writtenBytes: 8 * 2 ** 30 };
const UNPACK_MS = 1_800_000;
const LZ4 = ['-d', '-c'];
const BLOCK_BYTES = 1 << 16;

type Packing = 'gzip' | 'zstd' | 'xz' | 'lz4';

/** How a file that begins like this is compressed; undefined: it is not. */
export function packingOf(head: Buffer): Packing | undefined {
  const hex = head.toString('hex');
  if (hex.startsWith('1f8b')) return 'gzip';
  if (isZstd(head)) return 'zstd';
  if (hex.startsWith('fd377a585a00')) return 'xz';
  return hex.startsWith('04224d18') || hex.startsWith('02214c18') ? 'lz4' : undefined;
}

function unpacked(path: string, packing: Packing): AsyncIterable<Uint8Array> {
  const source = createReadStream(path);
  if (packing === 'zstd') return unzstd(source);
  if (packing === 'xz') return unxz(source, { timeoutMs: UNPACK_MS });
  if (packing === 'lz4') return execThrough('lz4', LZ4, source, { timeoutMs: UNPACK_MS });
  const gunzip = createGunzip();
  // Errors of the other streams arrive as an error of the last one.
  pipeline(source, gunzip, () => {});
  return gunzip;
}

/** Writes what is not zero; the rest stays a hole, like untouched memory. */
async function writeCore(file: FileHandle, pieces: AsyncIterable<Uint8Array>, name: string): Promise<void> {
  const zeros = Buffer.alloc(BLOCK_BYTES);
  let [at, written] = [0, 0];
  for await (const piece of pieces)
    for (let from = 0; from < piece.length; from += BLOCK_BYTES) {
      const block = piece.subarray(from, from + BLOCK_BYTES);
      const isZero = zeros.subarray(0, block.length).equals(block);
      written += isZero ? 0 : block.length;
      if (written > CORE_LIMITS.writtenBytes || at + block.length > CORE_LIMITS.unpackedBytes)
        throw wrongTrace(
          name,
          `it unpacks to more than ${isZero ? CORE_LIMITS.unpackedBytes : CORE_LIMITS.writtenBytes} bytes`,
        );
      if (!isZero) await file.write(block, 0, block.length, at);
      at += block.length;
    }
  await file.truncate(at);
}

async function whole(pieces: AsyncIterable<Uint8Array>, name: string): Promise<Buffer> {
  const found: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    if (size > TRACE_LIMITS.fileBytes)
      throw wrongTrace(
        name,
        `it unpacks to more than ${TRACE_LIMITS.fileBytes} bytes, which only a core may`,
      );
    found.push(Uint8Array.from(piece));
  }
  return Buffer.concat(found);
}

/** What to do with a core's file, and with all other bytes. */
export interface Readers<T> {
  core: (path: string) => Promise<T>;
  bytes: (bytes: Buffer) => Promise<T>;
}

/** Unpacks a file and has it read: a core from a temporary file, which is removed afterwards. */
export async function readPacked<T>(path: string, packing: Packing, { core, bytes }: Readers<T>): Promise<T> {
  const folder = temporaryFolder('core');
  try {
    const pieces = new Pieces(unpacked(path, packing));
    if (!isCore(await pieces.peek(CORE_HEAD_BYTES))) return await bytes(await whole(pieces.take(), path));
    const file = await open(join(folder, 'core'), 'wx', 0o600);
    try {
      await writeCore(file, pieces.take(), path);
    } finally {
      await file.close();
    }
    return await core(join(folder, 'core'));
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault(
      'trace_invalid',
      `${path} cannot be unpacked (${packing}): ${messageOf(error)}`,
      error,
      `see whether ${packing} -t takes the file; xz and lz4 are unpacked by the programs of these names, which must be installed`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
