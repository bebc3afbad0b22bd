/** Logs as tiles of 256 hashes (c2sp.org/tlog-tiles): paths, and proofs computed from whatever holds the tiles. */
import { nodeHash } from './merkle.ts';
import { Refusal } from './refusal.ts';

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

/** Reads a tile; where a log has grown past a partial one, its full successor begins with the same items. */
async function readTile(
  read: ReadTile,
  level: number | 'entries',
  index: number,
  width: number,
): Promise<{ path: string; bytes: Buffer; width: number }> {
  const path = tilePath(level, index, width);
  const bytes = await read(path);
  if (bytes) return { path, bytes, width };
  const fullPath = tilePath(level, index);
  const full = width < WIDTH ? await read(fullPath) : undefined;
  if (full) return { path: fullPath, bytes: full, width: WIDTH };
  throw refuse(path, 'is missing');
}

/** Hashes of a tree of a given size, from tiles. Nothing in them is believed: proofs bind what is used to a root. */
export class TileTree {
  private readonly size: number;
  private readonly read: ReadTile;
  private readonly tiles = new Map<string, Promise<Buffer>>();

  constructor(size: number, read: ReadTile) {
    this.size = size;
    this.read = read;
  }

  /** The leaf's hash and the hashes from its sibling upwards. */
  async inclusion(index: number): Promise<{ leaf: Buffer; hashes: Buffer[] }> {
    if (index >= this.size)
      throw new Refusal('log_proof', `index ${index} is not in a tree of ${this.size} leaves`);
    return { leaf: await this.node(0, index), hashes: await this.path(index, 0, this.size) };
  }

  /** The proof that the tree's first `older` leaves were a tree of their own (RFC 6962, 2.1.2). */
  async consistency(older: number): Promise<Buffer[]> {
    return older === this.size ? [] : this.subproof(older, 0, this.size, true);
  }

  /** The root of the first `size` leaves. */
  root(): Promise<Buffer> {
    return this.range(0, this.size);
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
    let hashes = Array.from({ length: 2 ** height }, (_, i) => {
      const at = ((start % WIDTH) + i) * HASH_BYTES;
      return tile.subarray(at, at + HASH_BYTES);
    });
    while (hashes.length > 1)
      hashes = Array.from({ length: hashes.length / 2 }, (_, i) =>
        nodeHash(hashes[2 * i]!, hashes[2 * i + 1]!),
      );
    return hashes[0]!;
  }

  private tile(level: number, index: number): Promise<Buffer> {
    const key = `${level}/${index}`;
    let tile = this.tiles.get(key);
    if (!tile) {
      tile = this.load(level, index);
      this.tiles.set(key, tile);
    }
    return tile;
  }

  private async load(level: number, index: number): Promise<Buffer> {
    const wanted = widthOf(Math.floor(this.size / 2 ** (TILE_HEIGHT * level)), index);
    const { path, bytes, width } = await readTile(this.read, level, index, wanted);
    if (bytes.length !== width * HASH_BYTES)
      throw refuse(path, `is ${bytes.length} bytes long, not ${width * HASH_BYTES}`);
    return bytes;
  }
}

/** The largest power of two below n. */
function splitPoint(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** The entry at an index, from its bundle of 256: each has its length before it, 2 bytes, big-endian. */
export async function readEntry(read: ReadTile, index: number, size: number): Promise<Buffer | undefined> {
  const tile = Math.floor(index / WIDTH);
  let found: Awaited<ReturnType<typeof readTile>>;
  try {
    found = await readTile(read, 'entries', tile, widthOf(size, tile));
  } catch (error) {
    // Logs may serve hashes only: the caller then needs the entry from elsewhere.
    if (error instanceof Refusal) return undefined;
    throw error;
  }
  let at = 0;
  for (let i = 0; i <= index % WIDTH; i++) {
    const length = at + 2 <= found.bytes.length ? found.bytes.readUInt16BE(at) : Number.POSITIVE_INFINITY;
    if (at + 2 + length > found.bytes.length) throw refuse(found.path, `ends before entry ${index}`);
    if (i === index % WIDTH) return found.bytes.subarray(at + 2, at + 2 + length);
    at += 2 + length;
  }
  return undefined;
}
