/** Signing, for teams that have no pipeline yet: an in-toto statement in a DSSE envelope, with a key of their own. */
import { constants, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';

import { canonicalJson } from '../base/canonical-json.ts';
import { type Digest, hexOf } from '../base/digest.ts';
import { preAuthEncoding } from './dsse.ts';
import { ALGORITHMS, type Algorithm, bindAlgorithm, type PublicKey } from './keys.ts';
import { Refusal } from './refusal.ts';
import { IN_TOTO_PAYLOAD_TYPE, STATEMENT_V1 } from './statement.ts';

export interface SigningKey {
  key: KeyObject;
  public: PublicKey;
}

/** Algorithms to sign with: an envelope is never signed with Ed25519ph, which few readers take for one. */
export const SIGNING_ALGORITHMS: readonly Algorithm[] = ALGORITHMS.filter((name) => name !== 'ed25519ph');

/** What an RSA key signs with unless it is said; the other types have one of their own. */
function usualFor({ asymmetricKeyType }: KeyObject): Algorithm | undefined {
  return asymmetricKeyType === 'rsa' ? 'rsa-pss-sha256' : undefined;
}

/** A private key from PEM (PKCS#8, SEC1 or PKCS#1) or JWK; `passphrase` opens an encrypted one. */
export function parsePrivateKey(
  bytes: Buffer,
  name: string,
  algorithm?: Algorithm,
  passphrase?: string,
): SigningKey {
  try {
    const text = bytes.toString('latin1').trim();
    const key = text.startsWith('{')
      ? createPrivateKey({ key: JSON.parse(text) as { kty: string }, format: 'jwk' })
      : createPrivateKey({ key: text, format: 'pem', ...(passphrase ? { passphrase } : {}) });
    return { key, public: bindAlgorithm(createPublicKey(key), algorithm ?? usualFor(key)) };
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal(error.code, `${name}: ${error.message}`, error);
    throw new Refusal(
      'signature_algorithm',
      `${name} is no private key in PEM or JWK form that can be opened: ${(error as Error).message}`,
      error,
    );
  }
}

function signBytes({ key, public: { algorithm } }: SigningKey, bytes: Uint8Array): Buffer {
  const [family, , hash = ''] = algorithm.split('-');
  if (family === 'ed25519') return sign(null, bytes, key);
  if (family === 'ecdsa') return sign(hash, bytes, { key, dsaEncoding: 'der' });
  return algorithm.startsWith('rsa-pss')
    ? sign(hash, bytes, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      })
    : sign(hash, bytes, { key, padding: constants.RSA_PKCS1_PADDING });
}

/** What a statement is about: a name for people, a digest for machines. */
export interface SignedSubject {
  name: string;
  sha256: Digest;
}

/** The text of a DSSE envelope around an in-toto statement; the same inputs give the same payload bytes. */
export function signStatement(
  key: SigningKey,
  subjects: SignedSubject[],
  predicateType: string,
  predicate: unknown,
): string {
  const payload = Buffer.from(
    canonicalJson({
      _type: STATEMENT_V1,
      subject: subjects.map(({ name, sha256 }) => ({
        name,
        digest: { sha256: hexOf(sha256) },
      })),
      predicateType,
      predicate,
    }),
  );
  const signature = signBytes(key, preAuthEncoding(IN_TOTO_PAYLOAD_TYPE, payload));
  const envelope = {
    payloadType: IN_TOTO_PAYLOAD_TYPE,
    payload: payload.toString('base64'),
    signatures: [{ keyid: key.public.fingerprint, sig: signature.toString('base64') }],
  };
  return `${JSON.stringify(envelope, null, 2)}\n`;
}
