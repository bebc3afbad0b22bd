/** Zstandard streams of any number of frames (RFC 8878): Node's decompressor stops after the first one, without an error. */

import { pipeline, Readable } from 'node:stream';
import { constants, createZstdDecompress } from 'node:zlib';
import { present } from './list.ts';

import { Pieces } from './pieces.ts';

const MAGIC = 0xfd2fb528;
/** Sixteen magic numbers, of frames that hold something for other readers; section 3.1.2. */
const SKIPPABLE = 0x184d2a50;
/** Magic number, descriptor, window, dictionary, content size: section 3.1.1.1. */
const MOST_HEADER_BYTES = 18;
/** The largest window that zstd itself accepts by default. A header may ask for terabytes. */
const WINDOW_LOG_MAX = 27;
const CHUNK_BYTES = 1 << 16;
/** Each frame costs time, however small it is; writers that make one frame for each file have at least a tar header in each. */
const FREE_FRAMES = 65_536;
const FRAME_BYTES = 256;
const NOTHING = Buffer.alloc(0);

/** Whether bytes begin as a Zstandard stream does; the first four tell. */
export function isZstd(start: Buffer): boolean {
  if (start.length < 4) return false;
  const magic = start.readUInt32LE(0);
  return magic === MAGIC || (magic & 0xfffffff0) >>> 0 === SKIPPABLE;
}

async function* exactly(pieces: Pieces, count: number): AsyncGenerator<Buffer> {
  let left = count;
  for await (const piece of pieces.take(count)) {
    left -= piece.length;
    yield piece;
  }
  if (left > 0) throw new Error('a zstd frame ends too early');
}

interface Header {
  sizeBytes: number;
  windowBytes: number;
  hasChecksum: boolean;
}

/** Section 3.1.1.1. */
function parseHeader(bytes: Buffer): Header {
  const descriptor = bytes[4] ?? 0;
  const [isSingle, hasChecksum] = [(descriptor & 0x20) !== 0, (descriptor & 4) !== 0];
  const dictionaryBytes = present([0, 1, 2, 4][descriptor & 3]);
  const contentBytes = present([isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6]);
  const sizeBytes = 5 + (isSingle ? 0 : 1) + dictionaryBytes + contentBytes;
  if (bytes.length < sizeBytes) throw new Error('a zstd frame ends too early');
  if (
    bytes.subarray(sizeBytes - contentBytes - dictionaryBytes, sizeBytes - contentBytes).some((byte) => byte)
  )
    throw new Error('a zstd frame needs a dictionary, which is not in it');
  const window = bytes[5] ?? 0;
  const base = 2 ** (10 + (window >> 3));
  // A size of two bytes is counted from 256.
  const content =
    contentBytes === 8
      ? Number(bytes.readBigUInt64LE(sizeBytes - 8))
      : contentBytes === 0
        ? 0
        : bytes.readUIntLE(sizeBytes - contentBytes, contentBytes);
  return { sizeBytes, windowBytes: isSingle ? content : base + (base / 8) * (window & 7), hasChecksum };
}

/** The bytes of one frame and no more, found by the sizes that its blocks have; section 3.1.1.2. */
async function* frameOf(pieces: Pieces): AsyncGenerator<Buffer> {
  const { sizeBytes, windowBytes, hasChecksum } = parseHeader(await pieces.peek(MOST_HEADER_BYTES));
  if (windowBytes > 2 ** WINDOW_LOG_MAX)
    throw new Error(
      `a zstd frame needs a window of ${windowBytes} bytes, at most ${2 ** WINDOW_LOG_MAX} are given (zstd without --long above 27)`,
    );
  yield* exactly(pieces, sizeBytes);
  for (let isLast = false; !isLast; ) {
    const start = await pieces.peek(3);
    if (start.length < 3) throw new Error('a zstd frame ends too early');
    const block = start.readUIntLE(0, 3);
    isLast = (block & 1) === 1;
    // A block of one repeated byte gives the length that it unpacks to.
    yield* exactly(pieces, 3 + (((block >> 1) & 3) === 1 ? 1 : block >> 3));
  }
  if (hasChecksum) yield* exactly(pieces, 4);
}

async function* unpackedFrame(pieces: Pieces): AsyncGenerator<Uint8Array> {
  const params = { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX };
  const unpacked = createZstdDecompress({ params, chunkSize: CHUNK_BYTES });
  // Errors of the other streams arrive as an error of the last one.
  pipeline(Readable.from(frameOf(pieces)), unpacked, () => {});
  try {
    yield* unpacked as AsyncIterable<Uint8Array>;
  } finally {
    unpacked.destroy();
  }
}

/** The unpacked bytes of all frames of `source`; an empty piece stands for a frame that took time and held nothing. Throws a plain Error. */
export async function* unzstd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const pieces = new Pieces(source);
  let [frames, sizeBytes] = [0, 0];
  for (let start = await pieces.peek(8); start.length > 0; start = await pieces.peek(8)) {
    if (!isZstd(start)) throw new Error('after a zstd frame stands something else');
    if (++frames > FREE_FRAMES + sizeBytes / FRAME_BYTES)
      throw new Error(`${frames} zstd frames for ${sizeBytes} bytes`);
    if (start.readUInt32LE(0) === MAGIC)
      for await (const piece of unpackedFrame(pieces)) {
        sizeBytes += piece.length;
        yield piece;
      }
    else if (start.length < 8) throw new Error('a zstd frame ends too early');
    else for await (const _ of exactly(pieces, 8 + start.readUInt32LE(4))) yield NOTHING;
    yield NOTHING;
  }
}
