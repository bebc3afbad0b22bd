/** Signatures over a digest without the bytes, which Node cannot verify; the one door to @noble/curves. */

import { constants, hash, type KeyObject, publicDecrypt } from 'node:crypto';
import { eddsa } from '@noble/curves/abstract/edwards.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { p256, p384, p521 } from '@noble/curves/nist.js';
import { present } from '../../base/list.ts';
import { isKeyOf } from '../../base/table.ts';
import { hashOf, type PublicKey } from './keys.ts';

/** Domain separation of RFC 8032 (dom2 with the prehash flag, no context): no Ed25519 signature passes for one. */
const DOMAIN = Buffer.concat([Buffer.from('SigEd25519 no Ed25519 collisions'), Buffer.from([1, 0])]);

/** Strict as RFC 8032 has it; the digest comes ready made, so that a large file is hashed once and natively. */
const ed25519ph = eddsa(ed25519.Point, (bytes: Uint8Array) => hash('sha512', bytes, 'buffer'), {
  domain: (data: Uint8Array) => Buffer.concat([DOMAIN, data]),
  prehash: (digest: Uint8Array) => digest,
  zip215: false,
});

/** The raw Ed25519 key: the last bytes of its SubjectPublicKeyInfo. */
const ED25519_BYTES = 32;

const CURVES = { p256, p384, p521 };

/** DER of DigestInfo up to the digest itself (RFC 8017, 9.2). */
const DIGEST_INFO: Record<string, string> = {
  sha256: '3031300d060960864801650304020105000420',
  sha384: '3041300d060960864801650304020205000430',
  sha512: '3051300d060960864801650304020305000440',
};

/** A check that throws at bytes it cannot read has not verified anything. */
function holds(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}

function ecdsaHolds({ algorithm, key }: PublicKey, digest: Uint8Array, signature: Uint8Array): boolean {
  const name = algorithm.split('-')[1];
  if (!isKeyOf(CURVES, name)) return false;
  const curve = CURVES[name];
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  // High S is as good as low S here: only Bitcoin's rules refuse it.
  const as = (format: 'der' | 'compact'): boolean =>
    holds(() => curve.verify(signature, digest, point, { prehash: false, lowS: false, format }));
  return as('der') || as('compact');
}

function mask(seed: Buffer, length: number, algorithm: string): Buffer {
  const parts: Buffer[] = [];
  for (let counter = 0, have = 0; have < length; counter++) {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    const part = hash(algorithm, Buffer.concat([seed, count]), 'buffer');
    parts.push(part);
    have += part.length;
  }
  return Buffer.concat(parts).subarray(0, length);
}

/** EMSA-PSS-VERIFY (RFC 8017, 9.1.2) with MGF1 of the same hash and a salt of any length. */
function pssHolds(encoded: Buffer, bits: number, digest: Uint8Array, algorithm: string): boolean {
  const spare = encoded.length * 8 - (bits - 1);
  // Where the encoding is a byte shorter than the modulus, that byte is zero.
  const em = spare === 8 ? encoded.subarray(1) : encoded;
  if (spare === 8 && encoded[0] !== 0) return false;
  const first = 0xff >> (spare % 8);
  const dbLength = em.length - digest.length - 1;
  const [masked, seed] = [em.subarray(0, dbLength), em.subarray(dbLength, -1)];
  if (dbLength < 1 || em.at(-1) !== 0xbc || (masked[0]! & ~first & 0xff) !== 0) return false;
  const db = mask(seed, dbLength, algorithm).map((byte, i) => byte ^ masked[i]!);
  db[0]! &= first;
  const one = db.findIndex((byte) => byte !== 0);
  if (one < 0 || db[one] !== 1) return false;
  const salt = db.subarray(one + 1);
  return hash(algorithm, Buffer.concat([Buffer.alloc(8), digest, salt]), 'buffer').equals(seed);
}

function rsaHolds(
  key: KeyObject,
  pss: boolean,
  algorithm: string,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const bits = present(key.asymmetricKeyDetails).modulusLength!;
  if (signature.length !== Math.ceil(bits / 8)) return false;
  if (pss)
    return pssHolds(
      publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature),
      bits,
      digest,
      algorithm,
    );
  const info = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
  return info.equals(Buffer.concat([Buffer.from(DIGEST_INFO[algorithm]!, 'hex'), digest]));
}

/** True if `signature` over what has this digest, by the algorithm's own hash, was made with the key. */
export function verifyPrehashed(one: PublicKey, digest: Uint8Array, signature: Uint8Array): boolean {
  const { algorithm, spki, key } = one;
  const [family, scheme] = algorithm.split('-');
  if (algorithm === 'ed25519ph')
    return holds(() => ed25519ph.verify(signature, digest, spki.subarray(-ED25519_BYTES), { zip215: false }));
  if (family === 'ecdsa') return ecdsaHolds(one, digest, signature);
  // Ed25519 hashes the bytes together with its own half of the signature, so a digest is not enough.
  if (family !== 'rsa') return false;
  return holds(() => rsaHolds(key, scheme === 'pss', hashOf(algorithm)!, digest, signature));
}
