/** Zstandard streams as their writers make them: many frames, some for other readers, headers that lie. */
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { isZstd, unzstd } from '../../src/base/zstd.ts';

async function* cut(bytes: Buffer, sizes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += sizes) yield bytes.subarray(at, at + sizes);
}

async function unpacked(bytes: Buffer, sizes: number = bytes.length): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of unzstd(cut(bytes, sizes))) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** A frame for other readers. */
function skippable(content: Uint8Array, kind = 0): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a50 + kind, 0);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content]);
}

const frame = zstdCompressSync('one');

it('all frames are read, wherever the bytes are cut', async () => {
  const part = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((text) => ({ text, bytes: zstdCompressSync(text) })),
    fc
      .tuple(fc.uint8Array({ maxLength: 20 }), fc.nat(15))
      .map(([text, kind]) => ({ text: new Uint8Array(), bytes: skippable(text, kind) })),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { maxLength: 6 }),
      fc.integer({ min: 1, max: 50 }),
      async (parts, sizes) => {
        const whole = Buffer.concat(parts.map(({ bytes }) => bytes));
        expect(await unpacked(whole, sizes)).toEqual(Buffer.concat(parts.map(({ text }) => text)));
      },
    ),
    { numRuns: 50 },
  );
});

it('large frames of many blocks are read whole', async () => {
  const text = Buffer.alloc(5_000_000).map((_, n) => (n * n) >> 7);
  const whole = Buffer.concat([
    zstdCompressSync(text),
    skippable(text.subarray(0, 70_000)),
    zstdCompressSync(text),
  ]);
  expect((await unpacked(whole, 65_536)).equals(Buffer.concat([text, text]))).toBe(true);
});

it('a stream begins with a frame of either kind', () => {
  expect([frame, skippable(frame), Buffer.from('1f8b0800', 'hex'), frame.subarray(0, 3)].map(isZstd)).toEqual(
    [true, true, false, false],
  );
});

/** A header of these bytes, behind the magic number, and an empty last block. */
const header = (...bytes: number[]): Buffer =>
  Buffer.concat([frame.subarray(0, 4), Buffer.from([...bytes, 1, 0, 0])]);

describe('what is refused', () => {
  it.each([
    ['a cut frame', Buffer.concat([frame, frame.subarray(0, -1)]), 'ends too early'],
    ['a cut header', frame.subarray(0, 5), 'ends too early'],
    ['a frame for other readers cut off', skippable(frame).subarray(0, -1), 'ends too early'],
    ['the same within its header', skippable(frame).subarray(0, 6), 'ends too early'],
    ['something behind the frames', Buffer.concat([frame, Buffer.from('rest')]), 'stands something else'],
    ['a window of 256 MiB', header(0, 18 << 3), 'a window of 268435456 bytes, at most 134217728'],
    ['content of 2^60 bytes at once', header(0xe0, 0, 0, 0, 0, 0, 0, 0, 16), 'needs a window of'],
    ['a dictionary', header(1, 0, 7), 'needs a dictionary'],
    ['a block of no kind', Buffer.concat([header(0, 0).subarray(0, 6), Buffer.from([7, 0, 0])]), /./],
    [
      'frames of nothing without end',
      Buffer.concat(Array(70_000).fill(skippable(Buffer.alloc(0)))),
      '65537 zstd frames',
    ],
  ])('%s', async (_name, bytes, wanted) => {
    await expect(unpacked(bytes)).rejects.toThrow(wanted);
  });

  it('no byte of a frame with a checksum can be changed unnoticed, and no change hangs', async () => {
    const { constants } = await import('node:zlib');
    const sealed = zstdCompressSync('abcabcabcabc', { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
    for (let at = 0; at < sealed.length; at++)
      for (const bit of [1, 16, 128]) {
        const changed = Buffer.from(sealed);
        changed[at]! ^= bit;
        const text = await unpacked(changed).then(String, () => 'refused');
        expect(['refused', 'abcabcabcabc']).toContain(text);
      }
  });
});

it('one who stops listening ends it', async () => {
  for await (const piece of unzstd(cut(zstdCompressSync(Buffer.alloc(1 << 24)), 1000)))
    if (piece.length > 0) break;
});
