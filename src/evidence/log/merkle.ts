/** Merkle trees of transparency logs: leaf and node hashes, inclusion and consistency proofs (RFC 6962, RFC 9162). */
import { createHash } from 'node:crypto';

import { Refusal } from '../common/refusal.ts';

const LEAF = Buffer.from([0]);
const NODE = Buffer.from([1]);
const HASH_BYTES = 32;

/** Hash of a log entry; the prefix keeps a leaf from passing for a node. */
export function leafHash(body: Uint8Array): Buffer {
  return createHash('sha256').update(LEAF).update(body).digest();
}

/** Hash of an inner node over its two children. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(NODE).update(left).update(right).digest();
}

export interface InclusionClaim {
  /** From 0. */
  index: number;
  /** Leaves in the tree. */
  size: number;
  leaf: Buffer;
  /** From the leaf's sibling upwards. */
  proof: Buffer[];
  root: Buffer;
}

function refuse(message: string): Refusal {
  return new Refusal('log_proof', message);
}

/** Refuses an index outside a tree: a fraction or a negative number would lead to the proof of some other leaf. */
export function checkIndex(index: number, size: number): void {
  if (!(Number.isSafeInteger(index) && index >= 0 && index < size))
    throw refuse(`index ${index} is not in a tree of ${size} leaves`);
}

/** Half of a whole number, down; shifts would cut indices to 32 bits. */
function half(n: number): number {
  return Math.floor(n / 2);
}

/** Refuses a proof that does not lead from this leaf, at this index, to the root (RFC 9162, 2.1.3.2). */
export function verifyInclusion({ index, size, leaf, proof, root }: InclusionClaim): void {
  // Bytes of another length could make a leaf pass for two nodes.
  if ([leaf, root, ...proof].some((hash) => hash.length !== HASH_BYTES))
    throw refuse('a hash is not 32 bytes long');
  checkIndex(index, size);
  let position = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) throw refuse('the inclusion proof has too many hashes');
    if (position % 2 === 1 || position === last) {
      hash = nodeHash(sibling, hash);
      // On the right border, levels without a sibling are skipped.
      while (position % 2 === 0 && position !== 0) {
        position = half(position);
        last = half(last);
      }
    } else hash = nodeHash(hash, sibling);
    position = half(position);
    last = half(last);
  }
  if (last !== 0) throw refuse('the inclusion proof has too few hashes');
  if (!hash.equals(root)) throw refuse('the inclusion proof does not lead to the checkpoint’s root');
}

export interface ConsistencyClaim {
  size1: number;
  size2: number;
  root1: Buffer;
  root2: Buffer;
  proof: Buffer[];
}

/** Refuses two trees of which the first is not the beginning of the second (RFC 9162, 2.1.4.2). */
export function verifyConsistency({ size1, size2, root1, root2, proof }: ConsistencyClaim): void {
  if (proof.some((hash) => hash.length !== HASH_BYTES)) throw refuse('a hash is not 32 bytes long');
  // Every tree continues the empty one, so such a proof would mean nothing.
  if (size1 === 0) throw refuse('there is no consistency with an empty tree to prove');
  if (size1 > size2) throw refuse(`a tree of ${size2} leaves cannot continue one of ${size1}`);
  if (size1 === size2) {
    if (proof.length > 0) throw refuse('the consistency proof has hashes where none are needed');
    if (!root1.equals(root2)) throw refuse('two roots for one size');
    return;
  }
  const hashes = isPowerOfTwo(size1) ? [root1, ...proof] : proof;
  const [first, ...rest] = hashes;
  if (proof.length === 0 || !first) throw refuse('the consistency proof has too few hashes');
  let position = size1 - 1;
  let last = size2 - 1;
  while (position % 2 === 1) {
    position = half(position);
    last = half(last);
  }
  let older = first;
  let newer = first;
  for (const hash of rest) {
    if (last === 0) throw refuse('the consistency proof has too many hashes');
    if (position % 2 === 1 || position === last) {
      older = nodeHash(hash, older);
      newer = nodeHash(hash, newer);
      while (position % 2 === 0 && position !== 0) {
        position = half(position);
        last = half(last);
      }
    } else newer = nodeHash(newer, hash);
    position = half(position);
    last = half(last);
  }
  if (last !== 0) throw refuse('the consistency proof has too few hashes');
  if (!older.equals(root1) || !newer.equals(root2))
    throw refuse('the consistency proof does not lead to both roots');
}

function isPowerOfTwo(n: number): boolean {
  return Number.isInteger(Math.log2(n)) && 2 ** Math.round(Math.log2(n)) === n;
}
