/** Keys, statements and envelopes made at run time. */
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Digest } from '../../src/base/digest.ts';
import { preAuthEncoding } from '../../src/evidence/dsse.ts';
import type { Algorithm } from '../../src/evidence/keys.ts';

export interface TestKey {
  algorithm: Algorithm;
  privateKey: KeyObject;
  publicKey: KeyObject;
}

export function makeKey(algorithm: Algorithm = 'ed25519'): TestKey {
  if (algorithm === 'ed25519') return { algorithm, ...generateKeyPairSync('ed25519') };
  if (algorithm.startsWith('rsa'))
    return { algorithm, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) };
  const namedCurve = { p256: 'P-256', p384: 'P-384', p521: 'P-521' }[algorithm.split('-')[1]!]!;
  return { algorithm, ...generateKeyPairSync('ec', { namedCurve }) };
}

export function signWith(key: TestKey, bytes: Buffer, raw = false): Buffer {
  const hash = key.algorithm === 'ed25519' ? null : key.algorithm.split('-')[2]!;
  const padding = key.algorithm.startsWith('rsa-pss')
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {};
  return sign(hash, bytes, {
    key: key.privateKey,
    ...padding,
    ...(raw ? { dsaEncoding: 'ieee-p1363' as const } : {}),
  });
}

/** The digest everything in these tests is about. */
export const SUBJECT = `sha256:${'a1'.repeat(32)}` as Digest;

export function statement(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'thing', digest: { sha256: 'a1'.repeat(32) } }],
    predicateType: 'https://example.org/any/v1',
    predicate: { good: true },
    ...change,
  };
}

export interface EnvelopeJson {
  payloadType: string;
  payload: string;
  signatures: { keyid?: string; sig: string }[];
}

/** An envelope over a statement, or any bytes, signed by these keys in their order. */
export function envelope(
  keys: TestKey[],
  payload: unknown = statement(),
  payloadType = 'application/vnd.in-toto+json',
): EnvelopeJson {
  const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload));
  return {
    payloadType,
    payload: bytes.toString('base64'),
    signatures: keys.map((key) => ({
      sig: signWith(key, preAuthEncoding(payloadType, bytes)).toString('base64'),
    })),
  };
}
