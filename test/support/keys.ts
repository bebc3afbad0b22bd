/** Keys, statements and envelopes made at run time, and policies that trust them. */
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../src/base/digest.ts';
import { preAuthEncoding } from '../../src/evidence/dsse.ts';
import type { Algorithm } from '../../src/evidence/keys.ts';
import type { EvidenceRecord } from '../../src/evidence/record.ts';
import { wantDigest } from '../../src/evidence/subject.ts';
import { Trust } from '../../src/evidence/trust.ts';
import { type SourceFile, verifyEvidence } from '../../src/evidence/verify.ts';
import { parsePolicy } from '../../src/policy/policy.ts';
import { tempFolder } from './world.ts';

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

/** A policy file's document in which each key is an authority k0, k1, …; `more` goes beside or over it. */
export async function trustOf(
  keys: TestKey[],
  more: Record<string, unknown> = {},
  perKey: Record<string, unknown> = {},
): Promise<Trust> {
  const folder = tempFolder();
  const authorities = keys.map(({ publicKey, algorithm }, i) => {
    writeFileSync(join(folder, `k${i}.pub`), publicKey.export({ type: 'spki', format: 'pem' }));
    return { id: `k${i}`, key: { path: `k${i}.pub`, alg: algorithm, ...perKey }, transparency: 'none' };
  });
  return new Trust(await parsePolicy(JSON.stringify({ version: 1, authorities, ...more }), 'test', folder));
}

const NOW_MS: number = Date.parse('2026-11-21T12:00:00Z');

/** Verifies one file's content (text, bytes or JSON) about SUBJECT. */
export function verifyAs(
  trust: Trust,
  content: unknown,
  o: Partial<Parameters<typeof verifyEvidence>[1]> & { more?: SourceFile[] } = {},
): Promise<EvidenceRecord> {
  const bytes = Buffer.isBuffer(content)
    ? content
    : Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  const { more = [], ...rest } = o;
  return verifyEvidence([{ name: 'e.json', bytes }, ...more], {
    trust,
    wanted: { kind: 'listed', subjects: [wantDigest('subject', SUBJECT)] },
    nowMs: NOW_MS,
    ...rest,
  });
}
