/** Keys, statements and envelopes made at run time. */
import { constants, generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';

import type { Digest } from '../../src/base/digest.ts';
import { type Algorithm, hashOf } from '../../src/evidence/common/keys.ts';
import { preAuthEncoding } from '../../src/evidence/documents/dsse.ts';

export interface TestKey {
  algorithm: Algorithm;
  privateKey: KeyObject;
  publicKey: KeyObject;
}

export function makeKey(algorithm: Algorithm = 'ed25519'): TestKey {
  if (algorithm.startsWith('ed25519')) return { algorithm, ...generateKeyPairSync('ed25519') };
  if (algorithm.startsWith('rsa'))
    return { algorithm, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) };
  const namedCurve = { p256: 'P-256', p384: 'P-384', p521: 'P-521' }[algorithm.split('-')[1]!]!;
  return { algorithm, ...generateKeyPairSync('ec', { namedCurve }) };
}

/** `salt`: of RSA-PSS, in bytes; else as long as the hash. */
export function signWith(key: TestKey, bytes: Buffer, o: { raw?: boolean; salt?: number } = {}): Buffer {
  if (key.algorithm === 'ed25519ph') {
    const secret = Buffer.from(key.privateKey.export({ format: 'jwk' }).d!, 'base64url');
    return Buffer.from(ed25519ph.sign(bytes, secret));
  }
  const padding = key.algorithm.startsWith('rsa-pss')
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: o.salt ?? constants.RSA_PSS_SALTLEN_DIGEST }
    : {};
  return sign(hashOf(key.algorithm), bytes, {
    key: key.privateKey,
    ...padding,
    ...(o.raw ? { dsaEncoding: 'ieee-p1363' as const } : {}),
  });
}

/** A bundle with a key's signature over a file; `named` is the digest it gives of that file, if any. */
export function messageBundle(
  signature: Buffer,
  file: Buffer,
  named: 'sha256' | 'sha384' | 'sha512' | 'sha3-256' | null = 'sha256',
): Record<string, unknown> {
  const algorithm = named?.replace(/^sha3-/, 'SHA3_').replace(/^sha(?=\d{3})/, 'SHA2_');
  const messageDigest = named ? { algorithm, digest: hash(named, file, 'base64') } : undefined;
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: 'any' } },
    messageSignature: {
      ...(messageDigest ? { messageDigest } : {}),
      signature: signature.toString('base64'),
    },
  };
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
