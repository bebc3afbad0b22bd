/** Public keys in the forms teams keep them, and the one place where a signature is checked against one. */
import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';

import { type Digest, digestOf } from '../base/digest.ts';
import { Refusal } from './refusal.ts';

/** Key and hash together: the policy pins both, so that neither key id nor signature can choose. */
export const ALGORITHMS = [
  'ed25519',
  'ecdsa-p256-sha256',
  'ecdsa-p384-sha384',
  'ecdsa-p521-sha512',
  'rsa-pkcs1-sha256',
  'rsa-pkcs1-sha384',
  'rsa-pkcs1-sha512',
  'rsa-pss-sha256',
  'rsa-pss-sha384',
  'rsa-pss-sha512',
] as const;

export type Algorithm = (typeof ALGORITHMS)[number];

export interface PublicKey {
  key: KeyObject;
  algorithm: Algorithm;
  /** SubjectPublicKeyInfo DER. */
  spki: Buffer;
  /** SHA-256 of the SubjectPublicKeyInfo DER: names the key whatever form it was given in. */
  fingerprint: Digest;
}

const CURVES: Record<string, Algorithm> = {
  prime256v1: 'ecdsa-p256-sha256',
  secp384r1: 'ecdsa-p384-sha384',
  secp521r1: 'ecdsa-p521-sha512',
};
const COORDINATE_BYTES: Partial<Record<Algorithm, number>> = {
  'ecdsa-p256-sha256': 32,
  'ecdsa-p384-sha384': 48,
  'ecdsa-p521-sha512': 66,
};
const RSA_BITS = { min: 2048, max: 16_384 };

/** The SubjectPublicKeyInfo DER. */
function spkiOf(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

function allowedAlgorithms(key: KeyObject): Algorithm[] {
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return ['ed25519'];
    case 'ec': {
      const algorithm = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''];
      return algorithm ? [algorithm] : [];
    }
    case 'rsa': {
      const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
      if (bits < RSA_BITS.min || bits > RSA_BITS.max)
        throw new Refusal('signature_algorithm', `an RSA key of ${bits} bits (2048 to 16384 are accepted)`);
      return ALGORITHMS.filter((name) => name.startsWith('rsa-'));
    }
    default:
      return [];
  }
}

/** One form for each key: a point may be written compressed, and would then count as another key. */
function normalise(key: KeyObject): KeyObject {
  return key.asymmetricKeyType === 'ec'
    ? createPublicKey({ key: key.export({ format: 'jwk' }) as { kty: string }, format: 'jwk' })
    : key;
}

/** Binds a key to one algorithm; an RSA key needs to be told which, the others have only one. */
export function bindAlgorithm(given: KeyObject, wanted?: Algorithm, otherwise?: Algorithm): PublicKey {
  const allowed = allowedAlgorithms(given);
  if (allowed.length === 0)
    throw new Refusal('signature_algorithm', `a key of type ${given.asymmetricKeyType} is not supported`);
  if (wanted && !allowed.includes(wanted))
    throw new Refusal('signature_algorithm', `this key cannot be used with ${wanted}`);
  const algorithm = wanted ?? (allowed.length === 1 ? allowed[0] : otherwise);
  if (!algorithm)
    throw new Refusal('signature_algorithm', `an RSA key needs "alg": one of ${allowed.join(', ')}`);
  const key = normalise(given);
  const spki = spkiOf(key);
  return { key, algorithm, spki, fingerprint: digestOf(spki) };
}

function keyOf(bytes: Buffer): KeyObject {
  const text = bytes.toString('latin1').trim();
  // A certificate or a private key would also yield a public key: accepting one would hide a mistake.
  if (text.startsWith('-----')) {
    const [, label] = /^-----BEGIN ([A-Z ]+)-----\s[A-Za-z0-9+/=\s]+-----END \1-----$/.exec(text) ?? [];
    if (label !== 'PUBLIC KEY' && label !== 'RSA PUBLIC KEY')
      throw new Error(label ? `it is a ${label}` : 'it is not one PEM block');
    return createPublicKey(text);
  }
  if (text.startsWith('{')) {
    const jwk = JSON.parse(text) as Record<string, unknown>;
    if ('d' in jwk) throw new Error('it is a private key');
    return createPublicKey({ key: jwk as { kty: string }, format: 'jwk' });
  }
  return createPublicKey({ key: bytes, format: 'der', type: 'spki' });
}

/** A public key from PEM, DER (SubjectPublicKeyInfo) or JWK bytes; `name` is what messages call it. */
export function parsePublicKey(bytes: Buffer, name: string, algorithm?: Algorithm): PublicKey {
  let key: KeyObject;
  try {
    key = keyOf(bytes);
  } catch (error) {
    throw new Refusal(
      'trust_key_malformed',
      `${name} is no public key in PEM, DER or JWK form: ${(error as Error).message}`,
      error,
    );
  }
  try {
    return bindAlgorithm(key, algorithm);
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(error.code, `${name}: ${error.message}`) : error;
  }
}

/** True if `signature` over `data` was made with the key; ECDSA may be DER or raw r||s (the DSSE specification's). */
export function verifySignature(key: PublicKey, data: Uint8Array, signature: Uint8Array): boolean {
  const [family, , hash = ''] = key.algorithm.split('-');
  const check = (o: object, algorithm: string | null): boolean => {
    try {
      return verify(algorithm, data, { key: key.key, ...o } as never, signature);
    } catch {
      return false;
    }
  };
  if (family === 'ed25519') return check({}, null);
  if (family === 'rsa')
    return key.algorithm.startsWith('rsa-pss')
      ? check(
          { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
          hash,
        )
      : check({ padding: constants.RSA_PKCS1_PADDING }, hash);
  if (signature[0] === 0x30 && check({ dsaEncoding: 'der' }, hash)) return true;
  return (
    signature.length === 2 * COORDINATE_BYTES[key.algorithm]! && check({ dsaEncoding: 'ieee-p1363' }, hash)
  );
}
