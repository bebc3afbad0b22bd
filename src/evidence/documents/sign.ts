/** Signing, for teams that have no pipeline yet: an in-toto statement in a DSSE envelope, with a key of their own. */

import { constants, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { canonicalJson } from '../../base/canonical-json.ts';
import { type Digest, hexOf } from '../../base/digest.ts';
import { membersOf } from '../../base/json.ts';
import { messageOf } from '../../base/thrown.ts';
import { ALGORITHMS, type Algorithm, bindAlgorithm, type PublicKey } from '../common/keys.ts';
import { Refusal } from '../common/refusal.ts';
import { preAuthEncoding } from './dsse.ts';
import { IN_TOTO_PAYLOAD_TYPE, STATEMENT_V1 } from './statement.ts';

export interface SigningKey {
  key: KeyObject;
  public: PublicKey;
}

/** Algorithms to sign with: an envelope is never signed with Ed25519ph, which few readers accept there. */
export const SIGNING_ALGORITHMS: readonly Algorithm[] = ALGORITHMS.filter((name) => name !== 'ed25519ph');

/** The default algorithm of an RSA key; each other type has only one. */
function usualFor({ asymmetricKeyType }: KeyObject): Algorithm | undefined {
  return asymmetricKeyType === 'rsa' ? 'rsa-pss-sha256' : undefined;
}

const MAKE_KEY = 'give a private key in PEM or JWK form: openssl genpkey -algorithm ed25519 -out K makes one';

/** The format of a file that cannot be opened as a private key, and what to do about it. */
function unopened(text: string, passphrase: string | undefined, reason: string): [string, string] {
  if (/BEGIN ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY/.test(text))
    return ['encrypted in cosign’s own form, which is not read', MAKE_KEY];
  if (text.includes('BEGIN OPENSSH PRIVATE KEY'))
    return [
      'a private key in OpenSSH’s own form, which is not read',
      'write a copy of it as PKCS#8: ssh-keygen -p -m PKCS8 -f COPY',
    ];
  if (/BEGIN ENCRYPTED PRIVATE KEY|^Proc-Type: 4,ENCRYPTED/m.test(text))
    return passphrase
      ? [
          `encrypted, and the passphrase does not open it: ${reason}`,
          'put the right passphrase into the environment variable REENACT_KEY_PASSPHRASE',
        ]
      : [
          'an encrypted private key, and there is no passphrase',
          'put its passphrase into the environment variable REENACT_KEY_PASSPHRASE',
        ];
  if (/BEGIN (?:RSA )?PUBLIC KEY/.test(text))
    return ['no private key: it is a public one', 'give the private key that it belongs to'];
  return [`no private key in PEM or JWK form that can be opened: ${reason}`, MAKE_KEY];
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
      ? createPrivateKey({ key: membersOf(JSON.parse(text)), format: 'jwk' })
      : createPrivateKey({ key: text, format: 'pem', ...(passphrase ? { passphrase } : {}) });
    return { key, public: bindAlgorithm(createPublicKey(key), algorithm ?? usualFor(key)) };
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal(error.code, `${name}: ${error.message}`, error);
    const [is, next] = unopened(bytes.toString('latin1'), passphrase, messageOf(error));
    throw new Refusal('signature_algorithm', `${name} is ${is}`, error, next);
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
