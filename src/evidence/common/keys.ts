/** Public keys in the forms teams keep them, and the one place where a signature is checked against one. */

import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type Digest, digestOf } from '../../base/digest.ts';
import { membersOf } from '../../base/json.ts';
import { present } from '../../base/list.ts';
import { messageOf } from '../../base/thrown.ts';
import { pemBlocks } from './pem.ts';
import { Refusal } from './refusal.ts';

/** Key and hash together: the policy or the signature's kind decides, so that neither key id nor signature can choose. */
export const ALGORITHMS = [
  'ed25519',
  'ed25519ph',
  'ecdsa-p256-sha256',
  'ecdsa-p256-sha384',
  'ecdsa-p256-sha512',
  'ecdsa-p384-sha384',
  'ecdsa-p384-sha256',
  'ecdsa-p384-sha512',
  'ecdsa-p521-sha512',
  'ecdsa-p521-sha256',
  'ecdsa-p521-sha384',
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
  /** The further algorithms of this key in Sigstore's registry, which old clients use, for a policy that names none. */
  also: readonly Algorithm[];
  /** SubjectPublicKeyInfo DER. */
  spki: Buffer;
  /** SHA-256 of the SubjectPublicKeyInfo DER: names the key whatever form it was given in. */
  fingerprint: Digest;
}

const CURVES: Record<string, string> = { prime256v1: 'p256', secp384r1: 'p384', secp521r1: 'p521' };
/** The algorithms that are accepted by default: the pairs of PublicKeyDetails (sigstore_common.proto), the usual one first. */
const USUAL: Record<string, readonly Algorithm[]> = {
  ed25519: ['ed25519', 'ed25519ph'],
  p256: ['ecdsa-p256-sha256'],
  p384: ['ecdsa-p384-sha384', 'ecdsa-p384-sha256'],
  p521: ['ecdsa-p521-sha512', 'ecdsa-p521-sha256'],
};
const COORDINATE_BYTES: Record<string, number> = { p256: 32, p384: 48, p521: 66 };
const RSA_BITS = { min: 2048, max: 16_384 };

/** The SubjectPublicKeyInfo DER. */
function spkiOf(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

/** "ed25519", a curve, "rsa"; null for a type that is not supported. */
function typeOf(key: KeyObject): string | null {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ec') return CURVES[details?.namedCurve ?? ''] ?? null;
  return type === 'ed25519' || type === 'rsa' ? type : null;
}

/** Every algorithm that a key can be used with; a Refusal for a key that is too weak or of another type. */
export function algorithmsOf(key: KeyObject): Algorithm[] {
  const type = typeOf(key);
  if (!type)
    throw new Refusal(
      'signature_algorithm',
      `a key of type ${key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType} is not supported`,
    );
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (type === 'rsa' && (bits < RSA_BITS.min || bits > RSA_BITS.max))
    throw new Refusal('signature_algorithm', `an RSA key of ${bits} bits (2048 to 16384 are accepted)`);
  return ALGORITHMS.filter((name) => name.split('-').some((part) => part === type || part === `${type}ph`));
}

/** The hash that is signed; null for Ed25519, which signs the bytes themselves. */
export function hashOf(algorithm: Algorithm): string | null {
  return algorithm === 'ed25519ph' ? 'sha512' : (algorithm.split('-')[2] ?? null);
}

/** The same key for each algorithm that it counts with. */
export function variantsOf(key: PublicKey): PublicKey[] {
  return [key, ...key.also.map((algorithm): PublicKey => ({ ...key, algorithm, also: [] }))];
}

/** One form for each key: a point in compressed form would otherwise count as another key. */
function normalise(key: KeyObject): KeyObject {
  return key.asymmetricKeyType === 'ec'
    ? createPublicKey({ key: key.export({ format: 'jwk' }), format: 'jwk' })
    : key;
}

/** Binds a key to one algorithm, else to the usual ones of its type; an RSA key has no usual one unless it is given. */
export function bindAlgorithm(
  given: KeyObject,
  wanted?: Algorithm,
  usual: readonly Algorithm[] = USUAL[typeOf(given) ?? ''] ?? [],
): PublicKey {
  const allowed = algorithmsOf(given);
  if (wanted && !allowed.includes(wanted))
    throw new Refusal('signature_algorithm', `this key cannot be used with ${wanted}`);
  const [algorithm, ...also] = wanted ? [wanted] : usual.filter((name) => allowed.includes(name));
  if (!algorithm)
    throw new Refusal('signature_algorithm', `an RSA key needs "alg": one of ${allowed.join(', ')}`);
  const key = normalise(given);
  const spki = spkiOf(key);
  return { key, algorithm, also, spki, fingerprint: digestOf(spki) };
}

/** The command that makes a public key from a file that holds another kind of key. */
const TAKEN_OUT: Record<string, string> = {
  CERTIFICATE: 'openssl x509 -pubkey -noout -in FILE takes its key out',
  'PRIVATE KEY': 'openssl pkey -pubout -in FILE writes its public key',
};

/** The one public key of a PEM file: a certificate or a private key would also yield one, and hide a mistake. */
function pemKey(text: string): KeyObject {
  // openssl ecparam writes these before a key; they are no keys.
  const blocks = pemBlocks(text).filter(({ label }) => label !== 'EC PARAMETERS');
  const [block, ...more] = blocks;
  if (!block) throw new Error('it has no PEM block');
  if (more.length > 0)
    throw new Error(`it holds ${blocks.map(({ label }) => label).join(', ')}, and one public key is wanted`);
  const { label, der } = block;
  if (label === 'PUBLIC KEY') return createPublicKey({ key: der, format: 'der', type: 'spki' });
  if (label === 'RSA PUBLIC KEY') return createPublicKey({ key: der, format: 'der', type: 'pkcs1' });
  const remedy = Object.entries(TAKEN_OUT).find(([ending]) => label.endsWith(ending))?.[1];
  throw new Error(`it is a ${label}${remedy ? `: ${remedy}` : ''}`);
}

function keyOf(bytes: Buffer): KeyObject {
  const text = bytes.toString('utf8').trim();
  if (text.startsWith('{')) {
    const jwk = membersOf(JSON.parse(text));
    if ('d' in jwk) throw new Error('it is a private key');
    return createPublicKey({ key: jwk, format: 'jwk' });
  }
  if (text.includes('-----BEGIN ')) return pemKey(text);
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
      `${name} is no public key in PEM, DER or JWK form: ${messageOf(error)}`,
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
  const [family, curve = ''] = key.algorithm.split('-');
  const hash = hashOf(key.algorithm);
  const check = (o: object): boolean => {
    try {
      return verify(hash, data, { key: key.key, ...o } as never, signature);
    } catch {
      return false;
    }
  };
  // Node knows no Ed25519ph: prehashed.ts does. It must never be tried as Ed25519.
  if (key.algorithm === 'ed25519ph') return false;
  if (family === 'ed25519') return check({});
  if (family === 'rsa')
    return curve === 'pss'
      ? // Go signs with the longest salt there is room for, others with one of the hash's length (RFC 8017, 9.1).
        check({ padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO })
      : check({ padding: constants.RSA_PKCS1_PADDING });
  if (signature[0] === 0x30 && check({ dsaEncoding: 'der' })) return true;
  return signature.length === 2 * present(COORDINATE_BYTES[curve]) && check({ dsaEncoding: 'ieee-p1363' });
}
