/** Signatures over a file: checked over the file, or over its digest where the algorithm signs one. */

import { present } from '../../base/list.ts';
import { type Hashed, hashedBytes, knownDigest } from '../common/hashed.ts';
import { hashOf, type PublicKey, verifySignature } from '../common/keys.ts';
import { Refusal } from '../common/refusal.ts';
import type { MessageSignature } from '../documents/sigstore-bundle.ts';
import type { VerificationContext } from './context.ts';

/** The key that made a signature, and the bytes or digest that it covers. */
export interface Maker {
  key: PublicKey;
  signed: Hashed;
}

/** Whether a key made a signature over these bytes; code for algorithms that Node lacks is loaded only when it is needed. */
export async function madeOver(
  key: PublicKey,
  bytes: Uint8Array,
  signed: Hashed,
  signature: Buffer,
): Promise<boolean> {
  if (key.algorithm !== 'ed25519ph') return verifySignature(key, bytes, signature);
  const { verifyPrehashed } = await import('../common/prehashed.ts');
  return verifyPrehashed(key, present(signed.digest('sha512')), signature);
}

/** The digest in a bundle is not signed, but a different one shows that another file is meant. */
function checkDigest({ digest }: MessageSignature, signed: Hashed, what: string): void {
  const own = digest && signed.digest(digest.hash);
  if (own && !own.equals(digest.bytes))
    throw new Refusal('artifact_mismatch', `${what} is not the one whose digest the bundle names`);
}

/** Digests that the caller wants evidence about, by their hash algorithm. */
function wantedDigests(c: VerificationContext): { algorithm: string; hex: string }[] {
  if (c.wanted.kind !== 'listed') return [];
  return c.wanted.subjects.flatMap(({ algorithm, anyOf }) => anyOf.map((hex) => ({ algorithm, hex })));
}

/** Why none of these digests can stand for the file. */
function whyFile(keys: PublicKey[], given: string[]): string {
  const hashes = [...new Set(keys.flatMap(({ algorithm }) => hashOf(algorithm) ?? []))];
  if (hashes.length === 0)
    return 'an Ed25519 signature is over the file itself, not over a digest of it: reenact evidence verify --artifact FILE checks it';
  return `the signature can be over a ${hashes.join(' or ')} digest, and a ${given.join(' or ')} digest was given: give that one, or the file (reenact evidence verify --subject DIGEST or --artifact FILE)`;
}

async function overDigest(
  message: MessageSignature,
  keys: PublicKey[],
  c: VerificationContext,
): Promise<Maker | undefined> {
  const digests = wantedDigests(c);
  if (digests.length === 0)
    throw new Refusal(
      'artifact_mismatch',
      'it signs a file, not a statement: reenact evidence verify --artifact holds it against that file',
    );
  const { verifyPrehashed } = await import('../common/prehashed.ts');
  let tried = false;
  for (const { algorithm, hex } of digests) {
    const signed = knownDigest(algorithm, hex);
    checkDigest(message, signed, 'the digest given');
    for (const key of keys.filter((one) => hashOf(one.algorithm) === algorithm)) {
      tried = true;
      if (verifyPrehashed(key, Buffer.from(hex, 'hex'), message.signature)) return { key, signed };
    }
  }
  // A good signature with Ed25519 looks like a bad one with Ed25519ph: it is not called bad without the file.
  if (tried && keys.some(({ algorithm }) => algorithm === 'ed25519'))
    throw new Refusal(
      'artifact_mismatch',
      `it is no signature over the digest given, and ${whyFile([], [])}`,
    );
  if (!tried)
    throw new Refusal(
      'artifact_mismatch',
      whyFile(
        keys,
        digests.map((one) => one.algorithm),
      ),
    );
  return undefined;
}

/** Which of these keys made the signature, over the file at hand or else over a digest that was given. */
export async function makerOf(
  message: MessageSignature,
  keys: PublicKey[],
  c: VerificationContext,
): Promise<Maker | undefined> {
  if (!c.artifact) return overDigest(message, keys, c);
  const signed = hashedBytes(c.artifact);
  checkDigest(message, signed, 'the file');
  for (const key of keys)
    if (await madeOver(key, c.artifact, signed, message.signature)) return { key, signed };
  return undefined;
}
