/** Merkle proofs: the public vectors, and trees of every awkward size. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../src/evidence/common/refusal.ts';
import { leafHash, verifyConsistency, verifyInclusion } from '../../../src/evidence/log/merkle.ts';
import { TileTree } from '../../../src/evidence/log/tiles.ts';
import { TestLog } from '../../support/log.ts';

const FOLDER = process.env.REENACT_CASES ? join(process.env.REENACT_CASES, 'merkle') : '';

interface Vector {
  leafIdx: number;
  treeSize: number;
  root: string;
  leafHash: string;
  size1: number;
  size2: number;
  root1: string;
  root2: string;
  proof: string[] | null;
  wantErr: boolean;
}

function accepted(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'log_proof') throw error;
    return false;
  }
}

const bytes = (text: string): Buffer => Buffer.from(text, 'base64');

describe('transparency-dev vectors', () => {
  if (!FOLDER || !existsSync(FOLDER))
    it.skip('inclusion and consistency (skipped: REENACT_CASES names no folder with merkle/)', () =>
      undefined);
  else
    it.each(['inclusion', 'consistency'] as const)('%s', (kind) => {
      const files = globSync('**/*.json', { cwd: join(FOLDER, kind) }).sort();
      const right = files.filter((file) => {
        const v = JSON.parse(readFileSync(join(FOLDER, kind, file), 'utf8')) as Vector;
        const proof = (v.proof ?? []).map(bytes);
        const ok = accepted(() =>
          kind === 'inclusion'
            ? verifyInclusion({
                index: v.leafIdx,
                size: v.treeSize,
                leaf: bytes(v.leafHash),
                proof,
                root: bytes(v.root),
              })
            : verifyConsistency({ ...v, root1: bytes(v.root1), root2: bytes(v.root2), proof }),
        );
        return ok === !v.wantErr;
      });
      console.log(`merkle: ${right.length} of ${files.length} ${kind} vectors`);
      expect(right).toEqual(files);
      expect(files.length).toBe(98);
    });
});

describe('trees from tiles', () => {
  const log = new TestLog().grow(66_000);
  const at = (size: number): TileTree => {
    const files = log.files(size);
    return new TileTree(size, async (path) => files.get(path));
  };

  it.each([1, 2, 3, 255, 256, 257, 511, 65_535, 65_536, 65_537])(
    'size %i: root and inclusion',
    async (size) => {
      const tree = at(size);
      expect((await tree.root()).equals(log.root(size))).toBe(true);
      for (const index of new Set([0, size - 1, Math.floor(size / 2), Math.floor(size / 3)])) {
        const { leaf, hashes } = await tree.inclusion(index);
        expect(leaf.equals(leafHash(log.entries[index]!))).toBe(true);
        verifyInclusion({ index, size, leaf, proof: hashes, root: log.root(size) });
      }
    },
  );

  it.each([
    [1, 2],
    [2, 5],
    [4, 5],
    [255, 256],
    [256, 257],
    [257, 65_537],
    [65_535, 65_536],
    [65_536, 66_000],
    [300, 300],
  ])('a tree of %i leaves is the beginning of one of %i', async (size1, size2) => {
    const proof = await at(size2).consistency(size1);
    const claim = { size1, size2, root1: log.root(size1), root2: log.root(size2), proof };
    verifyConsistency(claim);
    if (size1 < size2) {
      expect(accepted(() => verifyConsistency({ ...claim, root1: log.root(size1 + 1) }))).toBe(false);
      expect(accepted(() => verifyConsistency({ ...claim, proof: proof.slice(1) }))).toBe(false);
      expect(accepted(() => verifyConsistency({ ...claim, proof: [...proof, proof[0]!] }))).toBe(false);
    }
  });

  it.each<[string, { drop?: boolean; extra?: boolean } & Record<string, unknown>]>([
    ['another leaf', { leaf: leafHash(Buffer.from('other')) }],
    ['index + 1', { index: 301 }],
    ['index - 1', { index: 299 }],
    ['another size', { size: 512 }],
    ['an index outside', { index: 1000 }],
    ['an index below 0', { index: -700 }],
    ['half an index', { index: 300.5 }],
    ['no number for an index', { index: Number.NaN }],
    ['no number for a size', { size: Number.NaN }],
    ['a missing hash', { drop: true }],
    ['an extra hash', { extra: true }],
  ])('log_proof: %s', (_name, change) => {
    const proof = log.inclusion(300, 1000);
    const claim = { index: 300, size: 1000, leaf: leafHash(log.entries[300]!), proof, root: log.root(1000) };
    verifyInclusion(claim);
    if (change.drop) claim.proof = proof.slice(0, -1);
    else if (change.extra) claim.proof = [...proof, proof[0]!];
    else Object.assign(claim, change);
    expect(accepted(() => verifyInclusion(claim))).toBe(false);
  });

  it('says whether a proof is too long or too short', () => {
    const { index, size, root } = { index: 300, size: 1000, root: log.root(1000) };
    const hashes = log.inclusion(index, size);
    const claim = { index, size, leaf: leafHash(log.entries[index]!), root };
    const between = { size1: 300, size2: 1000, root1: log.root(300), root2: root };
    const steps = log.inclusion(299, 1000);
    for (const [proof, complaint] of [
      [[...hashes, root], 'too many'],
      [hashes.slice(1), 'too few'],
    ] as const)
      expect(() => verifyInclusion({ ...claim, proof: [...proof] })).toThrow(complaint);
    for (const [proof, complaint] of [
      [[...steps, ...steps], 'too many'],
      [steps.slice(0, 1), 'too few'],
    ] as const)
      expect(() => verifyConsistency({ ...between, proof: [...proof] })).toThrow(complaint);
    const shrunk = { size1: 1000, size2: 300, root1: root, root2: log.root(300), proof: steps };
    expect(() => verifyConsistency(shrunk)).toThrow('cannot continue');
  });

  it.each([
    ['a flipped hash', (path: string, b: Buffer) => (path === 'tile/0/000' ? flip(b) : b)],
    [
      'a tile that is too long',
      (path: string, b: Buffer) => (path === 'tile/0/000' ? Buffer.concat([b, b]) : b),
    ],
    [
      'a tile that is too short',
      (path: string, b: Buffer) => (path === 'tile/0/000' ? b.subarray(0, 32) : b),
    ],
    ['a missing tile', (path: string, b: Buffer) => (path.startsWith('tile/0/000') ? undefined : b)],
    [
      'a tile of another level',
      (path: string, b: Buffer) => (path.startsWith('tile/0/001') ? b.subarray(0, 32) : b),
    ],
  ])('log_proof: %s', async (_name, change) => {
    const files = log.files(300);
    const read = async (path: string): Promise<Buffer | undefined> => {
      const found = files.get(path);
      return found && change(path, found);
    };
    const attempt = async (): Promise<void> => {
      const { leaf, hashes } = await new TileTree(300, read).inclusion(10);
      verifyInclusion({ index: 10, size: 300, leaf, proof: hashes, root: log.root(300) });
    };
    await expect(attempt()).rejects.toMatchObject({ code: 'log_proof' });
  });
});

function flip(buffer: Buffer): Buffer {
  const copy = Buffer.from(buffer);
  copy[5]! ^= 1;
  return copy;
}
