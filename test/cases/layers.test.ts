/** Layers as the programs that compress them write them: many frames, frames for other readers, wide windows. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { findProgram } from '../../setup/packages.ts';
import { shippedImage } from '../../src/artifacts/oci.ts';
import { digestOf } from '../../src/base/digest.ts';
import { serveImage } from '../../src/bundle/format/loopback.ts';
import { imageSource } from '../../src/bundle/registry/image.ts';
import { Remote } from '../../src/bundle/registry/remote.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { layerOf } from '../support/fixture-image.ts';
import { TestRegistry } from '../support/registry.ts';
import { program, putImage, unpacking } from '../support/shipped.ts';
import { transfer } from '../support/transfer.ts';
import { describeEngine, engine, manifest, replay, tempFolder } from '../support/world.ts';

type Pack = (tar: Buffer) => Buffer;

const through =
  (name: string, ...args: string[]): Pack =>
  (input) =>
    execFileSync(name, args, { input, maxBuffer: 1 << 30, stdio: ['pipe', 'pipe', 'ignore'] });

/** Pieces of the tar, each compressed by itself. */
const inParts =
  (sizeBytes: number, compress: Pack): Pack =>
  (tar) => {
    const parts: Buffer[] = [];
    for (let at = 0; at < tar.length; at += sizeBytes) parts.push(compress(tar.subarray(at, at + sizeBytes)));
    return Buffer.concat(parts);
  };

/** What zstd:chunked and pzstd put between or behind: a frame for other readers. */
function skippable(content: string): Buffer {
  const head = Buffer.from('502a4d1800000000', 'hex');
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, Buffer.from(content)]);
}

const zstd: Pack = (bytes) => zstdCompressSync(bytes);
const frames = inParts(100_000, zstd);

const PACKS: [string, Pack][] = [
  ['one frame', zstd],
  ['frames of 100,000 bytes', frames],
  [
    'frames, and behind them those of zstd:chunked',
    (tar) => Buffer.concat([frames(tar), skippable('{"toc":1}'), skippable('footer')]),
  ],
  [
    'a frame for other readers before each, as pzstd writes them',
    inParts(100_000, (part) => Buffer.concat([skippable('size'), zstd(part)])),
  ],
  ['a frame of nothing first', (tar) => Buffer.concat([zstd(Buffer.alloc(0)), zstd(tar)])],
  ['members of gzip, as eStargz has them', inParts(100_000, (part) => gzipSync(part))],
];

const BY_PROGRAM: [string, Pack][] = [
  ['zstd', through('zstd', '-c')],
  ['zstd', through('zstd', '-19', '--long=27', '-c')],
  ['zstd', through('zstd', '--no-check', '--fast=5', '-c')],
  ['zstd', through('zstd', '-T2', '-B1MiB', '--rsyncable', '-c')],
  ['zstd', inParts(500_000, through('zstd', '-c'))],
  ['pzstd', through('pzstd', '-p', '4', '-c')],
  ['xz', through('xz', '-0', '-c')],
];

describe('a layer', () => {
  let registry: TestRegistry;
  beforeEach(async () => {
    registry = await TestRegistry.start();
  });

  /** What an image of one such layer holds. */
  async function look(pack: Pack): Promise<string[]> {
    // Blocks that compress and blocks that do not, more than one frame of pzstd holds.
    const noise = Buffer.alloc(6_000_000).map((_, n) => (n < 3_000_000 ? (n * n * 31) >> 11 : n >> 16));
    const layer = await layerOf([
      { name: 'bin/first', content: program(1) },
      { name: 'noise', content: noise },
      { name: 'bin/last', content: program(2) },
    ]);
    const image = putImage(registry, [layer], { pack });
    const source = imageSource(new Remote(registry.repository, transfer()));
    const { contents } = await shippedImage(image.manifest.digest, source, unpacking());
    return contents[0]!.shipped.contents[0]!.shipped.contents.map(({ path }) => path);
  }

  it.each(PACKS)('of %s is read whole', async (_name, pack) => {
    expect(await look(pack)).toEqual(['/bin/first', '/bin/last']);
  });

  for (const [n, [name, pack]] of BY_PROGRAM.entries())
    if (findProgram(name))
      it(`that ${name} wrote is read whole (${n})`, async () => {
        expect(await look(pack)).toEqual(['/bin/first', '/bin/last']);
      });
    else it.skip(`that ${name} wrote (skipped: ${name} is not installed)`, () => undefined);

  it.each([
    ['a frame that is cut', (tar: Buffer) => frames(tar).subarray(0, -9), 'ends too early'],
    [
      'something behind the frames',
      (tar: Buffer) => Buffer.concat([frames(tar), Buffer.alloc(512)]),
      'after a zstd frame stands something else',
    ],
    [
      'a window of 2 GiB',
      (tar: Buffer) => {
        const packed = zstd(tar);
        // A window instead of the content's size: zstd --long=31 writes it when it reads from a pipe.
        return Buffer.concat([packed.subarray(0, 4), Buffer.from([0, 21 << 3]), packed.subarray(9)]);
      },
      'needs a window of 2147483648 bytes, at most 134217728 are given',
    ],
  ])('with %s is refused', async (_name, pack, why) => {
    await expect(look(pack)).rejects.toMatchObject({
      code: 'artifact_malformed',
      message: expect.stringContaining(why),
    });
  });
});

describeEngine('an image whose layer is compressed with zstd', () => {
  /** Docker before 23.0 does not know zstd. */
  const knowsZstd = async (): Promise<boolean> => {
    const { engine: name, version } = await (await engine()).facts();
    return name !== 'docker' || Number.parseInt(version, 10) >= 23;
  };

  it('is replayed, or the engine is named as what cannot read it', async () => {
    const store = new BlobStore(tempFolder());
    const layer = await layerOf([
      { name: 'bin', type: 'directory' },
      { name: 'bin/program', content: readFileSync('/bin/busybox') },
      { name: 'note', content: `${Math.random()}` },
    ]);
    const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
    const rootfs = { type: 'layers', diff_ids: [digestOf(layer)] };
    const [config, packed] = [
      Buffer.from(JSON.stringify({ os: 'linux', architecture, rootfs })),
      zstd(layer),
    ];
    const type = 'application/vnd.oci.image';
    const digest = await store.put(
      JSON.stringify({
        schemaVersion: 2,
        config: { mediaType: `${type}.config.v1+json`, digest: await store.put(config), size: config.length },
        layers: [
          { mediaType: `${type}.layer.v1.tar+zstd`, digest: await store.put(packed), size: packed.length },
        ],
      }),
    );
    const served = await serveImage(store);
    try {
      const image = { sandbox_image: served.repository, sandbox_image_sha256: digest };
      const record = await replay(manifest('/bin/program true', image));
      if (await knowsZstd()) expect(record).toMatchObject({ verdict: 'reproduced' });
      else {
        expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'image_not_loadable' });
        expect(record.message).toContain('compressed with zstd');
        expect(record.message).toContain('Docker from 23.0 on');
      }
    } finally {
      await served.close();
    }
  });
});
