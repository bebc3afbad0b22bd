/** Logs as tiles of 256 hashes (c2sp.org/tlog-tiles): paths, and proofs computed from any source of tiles. */

import { createHash } from 'node:crypto';
import { itemAt, present } from '../../base/list.ts';
import { Refusal } from '../common/refusal.ts';
import { checkIndex, leafHash, nodeHash } from './merkle.ts';

const WIDTH = 256;
const HASH_BYTES = 32;
const TILE_HEIGHT = 8;

/** Gives a tile's bytes by its path, or undefined when it is not there. */
export type ReadTile = (path: string) => Promise<Buffer | undefined>;

/** `x001/x234/067`: three digits an element, so that no folder grows large. */
function indexPath(index: number): string {
  const groups: string[] = [];
  for (let rest = index; groups.length === 0 || rest > 0; rest = Math.floor(rest / 1000))
    groups.unshift(String(rest % 1000).padStart(3, '0'));
  return groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
}

/** Path of a tile of hashes (level 0, 1, …) or of entries; a width below 256 names a partial one. */
export function tilePath(level: number | 'entries', index: number, width: number = WIDTH): string {
  return `tile/${level}/${indexPath(index)}${width < WIDTH ? `.p/${width}` : ''}`;
}

function refuse(path: string, message: string): Refusal {
  return new Refusal('log_proof', `${path} ${message}`);
}

/** How many items the tile at this index has in a row of `total`. */
function widthOf(total: number, index: number): number {
  return Math.min(WIDTH, total - index * WIDTH);
}

/** Reads a tile if it is there; where a log has grown past a partial one, its full successor begins with the same items. */
async function readTile(
  read: ReadTile,
  level: number | 'entries',
  index: number,
  width: number,
): Promise<{ path: string; bytes: Buffer; width: number } | undefined> {
  const path = tilePath(level, index, width);
  const bytes = await read(path);
  if (bytes) return { path, bytes, width };
  const fullPath = tilePath(level, index);
  const full = width < WIDTH ? await read(fullPath) : undefined;
  return full && { path: fullPath, bytes: full, width: WIDTH };
}

/** The root of a complete subtree, of any power of two hashes. */
function rootOf(hashes: Buffer[]): Buffer {
  if (hashes.length === 1) return itemAt(hashes, 0);
  const parents = Array.from({ length: hashes.length / 2 }, (_, i) =>
    nodeHash(itemAt(hashes, 2 * i), itemAt(hashes, 2 * i + 1)),
  );
  return rootOf(parents);
}

/** So many hashes of a tile, from one on. */
function hashesOf(tile: Buffer, first: number, count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) =>
    tile.subarray((first + i) * HASH_BYTES, (first + i + 1) * HASH_BYTES),
  );
}

interface Tile {
  level: number;
  index: number;
  bytes: Promise<Buffer>;
}

/** Hashes of a tree of a given size, from tiles. Tiles are not trusted: proofs bind all hashes that are used to a root. */
export class TileTree {
  readonly size: number;
  private readonly read: ReadTile;
  /** By the path that each has in a tree of this size. */
  private readonly tiles = new Map<string, Tile>();

  constructor(size: number, read: ReadTile) {
    this.size = size;
    this.read = read;
  }

  /** The leaf's hash, as the tile says. */
  async leaf(index: number): Promise<Buffer> {
    checkIndex(index, this.size);
    return this.node(0, index);
  }

  /** The leaf's hash and the hashes from its sibling upwards. */
  async inclusion(index: number): Promise<{ leaf: Buffer; hashes: Buffer[] }> {
    return { leaf: await this.leaf(index), hashes: await this.path(index, 0, this.size) };
  }

  /** The proof that the tree's first `older` leaves were a tree of their own (RFC 6962, 2.1.2). */
  async consistency(older: number): Promise<Buffer[]> {
    if (older === this.size) return [];
    checkIndex(older - 1, this.size);
    return this.subproof(older, 0, this.size, true);
  }

  /** The root of the first `size` leaves; an empty tree's is the hash of nothing (RFC 6962, 2.1). */
  async root(): Promise<Buffer> {
    return this.size === 0 ? createHash('sha256').digest() : this.range(0, this.size);
  }

  /**
   * All tiles read so far, by path, once every hash in them leads to the root. A proof does not use the hashes on
   * its own way up: false ones there would be kept, and refuse every other entry's proof from then on.
   */
  async bound(root: Buffer): Promise<Map<string, Buffer>> {
    if (!(await this.root()).equals(root))
      throw new Refusal('log_proof', 'the tiles of the tree’s border do not make up the checkpoint’s root');
    const bound = new Map<string, Buffer>();
    // The loop adds the tiles above to the map, and visits them too.
    for (const [path, { level, index, bytes }] of this.tiles) {
      const tile = await bytes;
      // All hashes of a partial tile lie on the border and go into the root; a full one has its hash in the tile above.
      const isFull = tile.length === WIDTH * HASH_BYTES;
      const above = isFull ? await this.node(TILE_HEIGHT * (level + 1), index) : undefined;
      if (above && !rootOf(hashesOf(tile, 0, WIDTH)).equals(above))
        throw refuse(path, 'does not have the hash that the tile above it names');
      bound.set(path, tile);
    }
    return bound;
  }

  private async path(index: number, from: number, to: number): Promise<Buffer[]> {
    if (to - from === 1) return [];
    const middle = from + splitPoint(to - from);
    return index < middle
      ? [...(await this.path(index, from, middle)), await this.range(middle, to)]
      : [...(await this.path(index, middle, to)), await this.range(from, middle)];
  }

  private async subproof(older: number, from: number, to: number, whole: boolean): Promise<Buffer[]> {
    if (from + older === to) return whole ? [] : [await this.range(from, to)];
    const middle = from + splitPoint(to - from);
    return from + older <= middle
      ? [...(await this.subproof(older, from, middle, whole)), await this.range(middle, to)]
      : [
          ...(await this.subproof(older - (middle - from), middle, to, false)),
          await this.range(from, middle),
        ];
  }

  /** Root of the leaves from..to, as their part of the tree is shaped. */
  private async range(from: number, to: number): Promise<Buffer> {
    const count = to - from;
    const level = Math.round(Math.log2(count));
    if (2 ** level === count && from % count === 0) return this.node(level, from / count);
    const middle = from + splitPoint(count);
    return nodeHash(await this.range(from, middle), await this.range(middle, to));
  }

  /** A complete subtree's hash: stored in a tile, or a few levels above what one stores. */
  private async node(level: number, index: number): Promise<Buffer> {
    const tileLevel = Math.floor(level / TILE_HEIGHT);
    const height = level % TILE_HEIGHT;
    const start = index * 2 ** height;
    const tile = await this.tile(tileLevel, Math.floor(start / WIDTH));
    return rootOf(hashesOf(tile, start % WIDTH, 2 ** height));
  }

  private tile(level: number, index: number): Promise<Buffer> {
    const width = widthOf(Math.floor(this.size / 2 ** (TILE_HEIGHT * level)), index);
    const path = tilePath(level, index, width);
    let tile = this.tiles.get(path);
    if (!tile) {
      tile = { level, index, bytes: this.load(level, index, width) };
      this.tiles.set(path, tile);
    }
    return tile.bytes;
  }

  private async load(level: number, index: number, wanted: number): Promise<Buffer> {
    const found = await readTile(this.read, level, index, wanted);
    if (!found) throw refuse(tilePath(level, index, wanted), 'is missing');
    const { path, bytes, width } = found;
    if (bytes.length !== width * HASH_BYTES)
      throw refuse(path, `is ${bytes.length} bytes long, not ${width * HASH_BYTES}`);
    // This tree says nothing about what a full tile has beyond it.
    return bytes.subarray(0, wanted * HASH_BYTES);
  }
}

/** The largest power of two below n. */
function splitPoint(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** Entries that stand together in a log, as many as the tree has of them. */
interface EntryBundle {
  /** The path it has in a tree of this size. */
  path: string;
  bytes: Buffer;
  entries: Buffer[];
}

/** The bundle of 256 entries that an entry is in; before each stands its length, 2 bytes, big-endian. */
async function readBundle(read: ReadTile, index: number, size: number): Promise<EntryBundle | undefined> {
  checkIndex(index, size);
  const tile = Math.floor(index / WIDTH);
  const wanted = widthOf(size, tile);
  const found = await readTile(read, 'entries', tile, wanted);
  // Logs may serve hashes only: the caller then needs the entry from elsewhere.
  if (!found) return undefined;
  const { path, bytes, width } = found;
  const entries: Buffer[] = [];
  let at = 0;
  let end = 0;
  while (entries.length < width) {
    const length = at + 2 <= bytes.length ? bytes.readUInt16BE(at) : Number.POSITIVE_INFINITY;
    if (at + 2 + length > bytes.length) throw refuse(path, `ends before its entry ${entries.length}`);
    entries.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
    if (entries.length === wanted) end = at;
  }
  if (at !== bytes.length) throw refuse(path, `has bytes after its ${width} entries`);
  return {
    path: tilePath('entries', tile, wanted),
    bytes: bytes.subarray(0, end),
    entries: entries.slice(0, wanted),
  };
}

/** The entry at an index; undefined where the log has no entries. It is not proven yet: the caller must compare its hash with the leaf. */
export async function readEntry(read: ReadTile, index: number, size: number): Promise<Buffer | undefined> {
  return (await readBundle(read, index, size))?.entries[index % WIDTH];
}

/** The bundle that an entry is in, if the log has it, refused unless each of its entries is the tree's. */
export async function readBoundBundle(
  read: ReadTile,
  index: number,
  tree: TileTree,
): Promise<EntryBundle | undefined> {
  const bundle = await readBundle(read, index, tree.size);
  const first = index - (index % WIDTH);
  for (const [i, entry] of bundle?.entries.entries() ?? [])
    if (!leafHash(entry).equals(await tree.leaf(first + i)))
      throw refuse(present(bundle).path, `has another entry ${first + i} than the tree`);
  return bundle;
}
