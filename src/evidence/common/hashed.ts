/** A thing known by its digests: either its bytes are at hand, or only their digests. */
import { hash } from 'node:crypto';

export interface Hashed {
  /** Its digest by "sha256", "sha384" or "sha512"; undefined where that is not known. */
  digest(algorithm: string): Buffer | undefined;
}

/** Of bytes in hand: each digest is made when it is first asked for, since they may be a gigabyte. */
export function hashedBytes(bytes: Uint8Array): Hashed {
  const made = new Map<string, Buffer>();
  return {
    digest(algorithm) {
      const digest = made.get(algorithm) ?? hash(algorithm, bytes, 'buffer');
      made.set(algorithm, digest);
      return digest;
    },
  };
}

/** A thing of which only one digest is known. */
export function knownDigest(algorithm: string, hex: string): Hashed {
  return { digest: (wanted) => (wanted === algorithm ? Buffer.from(hex, 'hex') : undefined) };
}
