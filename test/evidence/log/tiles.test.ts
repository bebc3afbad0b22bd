/** Tiles: every hash in them must lead to the root before it is kept, and no link leads a reader elsewhere. */
import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../src/evidence/common/refusal.ts';
import { parseLogReference } from '../../../src/evidence/documents/reference.ts';
import { logFolder, readCachedProof, readFolderProof } from '../../../src/evidence/log/cache.ts';
import { leafHash, verifyConsistency, verifyInclusion } from '../../../src/evidence/log/merkle.ts';
import {
  type ReadTile,
  readBoundBundle,
  readEntry,
  TileTree,
  tilePath,
} from '../../../src/evidence/log/tiles.ts';
import { TestLog } from '../../support/log.ts';
import { tempFolder } from '../../support/world.ts';

const log = new TestLog().grow(70_000);
const filesOf = new Map<number, Map<string, Buffer>>();
function files(size: number): Map<string, Buffer> {
  const found = filesOf.get(size) ?? log.files(size);
  filesOf.set(size, found);
  return found;
}
const readerOf =
  (all: Map<string, Buffer>): ReadTile =>
  async (path) =>
    all.get(path);

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 1;
  return copy;
}

describe('trees of random sizes', () => {
  it('give the root and the proofs of the log itself', async () => {
    const place = fc
      .integer({ min: 1, max: 70_000 })
      .chain((size) =>
        fc.tuple(fc.constant(size), fc.integer({ min: 1, max: size }), fc.integer({ min: 0, max: size - 1 })),
      );
    await fc.assert(
      fc.asyncProperty(place, async ([size, size1, index]) => {
        const tree = new TileTree(size, readerOf(log.files(size)));
        const root = log.root(size);
        const { leaf, hashes } = await tree.inclusion(index);
        expect(leaf.equals(leafHash(log.entries[index]!))).toBe(true);
        verifyInclusion({ index, size, leaf, proof: hashes, root });
        const proof = await tree.consistency(size1);
        verifyConsistency({ size1, size2: size, root1: log.root(size1), root2: root, proof });
        await tree.bound(root);
      }),
      { numRuns: 20 },
    );
  });

  it('have a root even when empty, and no leaf then', async () => {
    const empty = new TileTree(0, async () => undefined);
    expect((await empty.root()).equals(log.root(0))).toBe(true);
    await expect(empty.inclusion(0)).rejects.toMatchObject({ code: 'log_proof' });
  });

  it.each([-1, 0.5, Number.NaN, 300])('log_proof: no leaf %d of 300', async (index) => {
    const tree = new TileTree(300, readerOf(files(300)));
    await expect(tree.inclusion(index)).rejects.toMatchObject({ code: 'log_proof' });
    await expect(readEntry(readerOf(files(300)), index, 300)).rejects.toMatchObject({ code: 'log_proof' });
  });

  it.each([0, -1, 301, Number.NaN])('log_proof: no beginning of %d leaves of 300', async (older) => {
    const tree = new TileTree(300, readerOf(files(300)));
    await expect(tree.consistency(older)).rejects.toMatchObject({ code: 'log_proof' });
  });
});

describe('tiles that are kept', () => {
  it.each([
    [1, 0],
    [256, 3],
    [300, 10],
    [300, 299],
    [65_536, 65_535],
    [66_000, 3],
    [66_000, 65_999],
  ])('log_proof: any hash flipped, of those read for a tree of %i and entry %i', async (size, index) => {
    const honest = new TileTree(size, readerOf(files(size)));
    await honest.inclusion(index);
    const read = await honest.bound(log.root(size));
    expect(read.size).toBeGreaterThan(0);
    for (const [path, bytes] of read) {
      expect(bytes.equals(files(size).get(path)!)).toBe(true);
      for (let at = 0; at < bytes.length; at += 32 * 17) {
        const tree = new TileTree(size, async (p) => (p === path ? flip(bytes, at) : files(size).get(p)));
        await tree.inclusion(index);
        await expect(tree.bound(log.root(size))).rejects.toMatchObject({ code: 'log_proof' });
      }
    }
  });

  it('are cut to the tree where only a longer tile is left, and its path says so', async () => {
    const all = new Map(files(300));
    const partial = tilePath(0, 1, 44);
    all.set(tilePath(0, 1), Buffer.concat([all.get(partial)!, Buffer.alloc(212 * 32)]));
    all.delete(partial);
    const tree = new TileTree(300, readerOf(all));
    await tree.inclusion(290);
    const bound = await tree.bound(log.root(300));
    expect(bound.get(partial)?.equals(files(300).get(partial)!)).toBe(true);
    expect(bound.has(tilePath(0, 1))).toBe(false);
  });

  it.each<[string, string, (bytes: Buffer) => Buffer]>([
    ['tile/0/000', 'a hash too few', (bytes) => bytes.subarray(0, -32)],
    ['tile/0/000', 'a byte too many', (bytes) => Buffer.concat([bytes, Buffer.alloc(1)])],
    ['tile/0/000', 'a partial one for a full one', () => files(300).get('tile/0/001.p/44')!],
    ['tile/0/001.p/44', 'a full one for a partial one', () => files(300).get('tile/0/000')!],
    ['tile/0/000', 'nothing', () => Buffer.alloc(0)],
  ])('log_proof: %s with %s', async (path, _name, change) => {
    const tree = new TileTree(300, async (p) =>
      p === path ? change(files(300).get(p)!) : files(300).get(p),
    );
    await expect(tree.inclusion(10)).rejects.toMatchObject({
      code: 'log_proof',
      message: expect.stringContaining(path),
    });
  });

  it('log_proof: a tile of the level below', async () => {
    const tree = new TileTree(66_000, async (p) => files(66_000).get(p === 'tile/1/000' ? 'tile/0/000' : p));
    await tree.inclusion(3);
    await expect(tree.bound(log.root(66_000))).rejects.toMatchObject({ code: 'log_proof' });
  });
});

describe('entries', () => {
  const path = 'tile/entries/001.p/44';
  const bundle = files(300).get(path)!;

  it('are cut to the tree where only a longer bundle is left', async () => {
    const all = new Map(files(300)).set('tile/entries/001', files(512).get('tile/entries/001')!);
    all.delete(path);
    const found = await readBoundBundle(readerOf(all), 290, new TileTree(300, readerOf(all)));
    expect(found?.path).toBe(path);
    expect(found?.bytes.equals(bundle)).toBe(true);
    expect(found?.entries.length).toBe(44);
  });

  it.each<[string, Buffer]>([
    ['ends before its entry 43', bundle.subarray(0, -1)],
    ['ends before its entry 0', bundle.subarray(0, 1)],
    ['has bytes after its 44 entries', Buffer.concat([bundle, Buffer.alloc(1)])],
    ['has bytes after its 44 entries', Buffer.concat([bundle, Buffer.alloc(2)])],
    ['has another entry 256 than the tree', flip(bundle, 5)],
    ['has another entry 299 than the tree', flip(bundle, bundle.length - 1)],
  ])('log_proof: a bundle that %s', async (complaint, changed) => {
    const read: ReadTile = async (p) => (p === path ? changed : files(300).get(p));
    await expect(readBoundBundle(read, 280, new TileTree(300, read))).rejects.toMatchObject({
      code: 'log_proof',
      message: `${path} ${complaint}`,
    });
  });

  it('fuzz: any bytes are refused or read', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), fc.nat(255), async (bytes, index) => {
        try {
          await readEntry(async () => Buffer.from(bytes), index, 256);
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
        }
      }),
    );
  });
});

describe('folders', () => {
  const reference = parseLogReference(log.reference(10, 300));
  const written = (folder: string): string => {
    log.writeFiles(folder, 300);
    return folder;
  };

  it('log_proof: a tile, a folder of tiles or the log’s own folder is a link', async () => {
    for (const part of ['tile/0/000', 'tile/0', 'tile']) {
      const [folder, elsewhere] = [written(tempFolder()), join(tempFolder(), 'moved')];
      renameSync(join(folder, part), elsewhere);
      symlinkSync(elsewhere, join(folder, part));
      await expect(readFolderProof(folder, reference)).rejects.toMatchObject({ code: 'log_proof' });
    }
    const [store, elsewhere] = [tempFolder(), written(tempFolder())];
    mkdirSync(join(store, 'logs'));
    symlinkSync(elsewhere, logFolder(store, log.origin));
    await expect(readCachedProof(store, reference)).rejects.toMatchObject({ code: 'log_proof' });
  });

  it('may themselves be named through a link', async () => {
    const [folder, link] = [written(tempFolder()), join(tempFolder(), 'link')];
    symlinkSync(folder, link);
    expect((await readFolderProof(link, reference)).extra?.toString()).toBe('entry 10');
  });

  it('log_proof: a tile is missing or short', async () => {
    const folder = written(tempFolder());
    truncateSync(join(folder, 'tile/0/000'), 32);
    await expect(readFolderProof(folder, reference)).rejects.toMatchObject({ code: 'log_proof' });
    rmSync(join(folder, 'tile/0/000'));
    await expect(readFolderProof(folder, reference)).rejects.toMatchObject({
      code: 'log_proof',
      message: expect.stringContaining('tile/0/000 is missing'),
    });
  });

  it('have one place a log, within them, whatever its name', () => {
    const places = ['..', '.', '../x', 'a/b', '%2E%2E', 'a%2Fb'].map((origin) => logFolder('/store', origin));
    for (const place of places) expect(place).toMatch(/^\/store\/logs\/[^/]*[^/.][^/]*$/);
    expect(new Set(places).size).toBe(places.length);
  });
});
