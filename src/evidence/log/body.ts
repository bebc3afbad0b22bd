/** The signed bytes and the key in a Rekor entry: they must belong to exactly the signature at hand (Rekor v1 and v2 types). */

import type { X509Certificate } from 'node:crypto';
import { decodeBase64 } from '../../base/base64.ts';
import { ownOf } from '../../base/json.ts';
import { EVIDENCE_LIMITS } from '../../base/limits.ts';
import type { Hashed } from '../common/hashed.ts';
import { pemBlocks } from '../common/pem.ts';
import { Refusal } from '../common/refusal.ts';
import { readJson } from '../common/strict.ts';

/** The signature at hand, with everything an entry can say about it. */
export interface SignedThing {
  signature: Buffer;
  /** What was signed: a message's artifact, or an envelope's pre-authentication encoding. */
  signed: Hashed;
  /** The envelope's payload; null for a message. */
  payload: Hashed | null;
  /** SubjectPublicKeyInfo DER of the key that made the signature. */
  spki: Buffer;
  /** The certificate, where one was used. */
  certificate: X509Certificate | null;
}

/** A member on a path, or undefined: entry bodies are outside input with many forms. */
function at(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((inner, name) => ownOf(inner, name), value);
}

function bytesAt(value: unknown, ...path: (string | number)[]): Buffer | undefined {
  const text = at(value, ...path);
  return typeof text === 'string' ? decodeBase64(text) : undefined;
}

/** A PEM certificate must be the signer's, a PEM key the signer's key; with several, another's could stand for it. */
function pemIsSigner(bytes: Buffer | undefined, signed: SignedThing): boolean {
  try {
    const [block, ...more] = pemBlocks(bytes?.toString('latin1') ?? '');
    if (!block || more.length > 0) return false;
    return block.label === 'CERTIFICATE'
      ? signed.certificate?.raw.equals(block.der) === true
      : block.label === 'PUBLIC KEY' && block.der.equals(signed.spki);
  } catch {
    return false;
  }
}

/** Rekor v2 names the verifier as DER. */
function verifierIsSigner(verifier: unknown, signed: SignedThing): boolean {
  const certificate = bytesAt(verifier, 'x509Certificate', 'rawBytes');
  const key = bytesAt(verifier, 'publicKey', 'rawBytes');
  if (certificate && !key) return signed.certificate?.raw.equals(certificate) === true;
  return key !== undefined && !certificate && key.equals(signed.spki);
}

/** The algorithms an entry may record, as Rekor v1 and v2 spell them. */
const HASHES: Record<string, string> = {
  sha256: 'sha256',
  sha384: 'sha384',
  sha512: 'sha512',
  SHA2_256: 'sha256',
  SHA2_384: 'sha384',
  SHA2_512: 'sha512',
};

const SPELLED: Record<string, string> = { sha256: 'SHA2_256', sha384: 'SHA2_384', sha512: 'SHA2_512' };

function hashName(name: unknown): string | undefined {
  return typeof name === 'string' && Object.hasOwn(HASHES, name) ? HASHES[name] : undefined;
}

interface RecordedDigest {
  algorithm: string | undefined;
  hex: string | undefined;
}

/** `{algorithm, value}` with hex digits, as Rekor v1 writes it. */
function hexAt(value: unknown, ...path: (string | number)[]): RecordedDigest {
  const hex = at(value, ...path, 'value');
  return {
    algorithm: hashName(at(value, ...path, 'algorithm')),
    hex: typeof hex === 'string' ? hex : undefined,
  };
}

/** `{algorithm, digest}` with base64, as Rekor v2 writes it. */
function digestAt(value: unknown, ...path: (string | number)[]): RecordedDigest {
  return {
    algorithm: hashName(at(value, ...path, 'algorithm')),
    hex: bytesAt(value, ...path, 'digest')?.toString('hex'),
  };
}

/** What each kind of entry binds: signature, digest and key, each compared with the one at hand. */
interface Bound {
  signature: Buffer | undefined;
  digest: RecordedDigest;
  /** Which digest the entry records. */
  over: 'signed' | 'payload';
  isSigner: boolean;
}

/** One entry must record one signature: with several, another's could stand for this one. */
function only(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : undefined;
}

const READERS: Record<string, (spec: unknown, signed: SignedThing) => Bound> = {
  'hashedrekord/0.0.1': (spec, signed) => ({
    signature: bytesAt(spec, 'signature', 'content'),
    digest: hexAt(spec, 'data', 'hash'),
    over: 'signed',
    isSigner: pemIsSigner(bytesAt(spec, 'signature', 'publicKey', 'content'), signed),
  }),
  'hashedrekord/0.0.2': (spec, signed) => ({
    signature: bytesAt(spec, 'hashedRekordV002', 'signature', 'content'),
    digest: digestAt(spec, 'hashedRekordV002', 'data'),
    over: 'signed',
    isSigner: verifierIsSigner(at(spec, 'hashedRekordV002', 'signature', 'verifier'), signed),
  }),
  'dsse/0.0.1': (spec, signed) => {
    const one = only(at(spec, 'signatures'));
    return {
      signature: bytesAt(one, 'signature'),
      digest: hexAt(spec, 'payloadHash'),
      over: 'payload',
      isSigner: pemIsSigner(bytesAt(one, 'verifier'), signed),
    };
  },
  'dsse/0.0.2': (spec, signed) => {
    const one = only(at(spec, 'dsseV002', 'signatures'));
    return {
      signature: bytesAt(one, 'content'),
      digest: digestAt(spec, 'dsseV002', 'payloadHash'),
      over: 'payload',
      isSigner: verifierIsSigner(at(one, 'verifier'), signed),
    };
  },
  'intoto/0.0.2': (spec, signed) => {
    const one = only(at(spec, 'content', 'envelope', 'signatures'));
    // This type encodes the signature twice.
    const twice = bytesAt(one, 'sig')?.toString('latin1');
    return {
      signature: twice === undefined ? undefined : decodeBase64(twice),
      digest: hexAt(spec, 'content', 'payloadHash'),
      over: 'payload',
      isSigner: pemIsSigner(bytesAt(one, 'publicKey'), signed),
    };
  },
};

/** Refuses an entry body that is not about exactly this signature, this key and these signed bytes. */
export function checkBody(
  body: Buffer,
  claimed: { kind: string; version: string } | null,
  signed: SignedThing,
): void {
  const limits = { sizeBytes: EVIDENCE_LIMITS.fileBytes, depth: EVIDENCE_LIMITS.depth };
  const value = readJson(body, 'the log entry', limits, 'log_body');
  const kind = `${at(value, 'kind')}/${at(value, 'apiVersion')}`;
  if (claimed && kind !== `${claimed.kind}/${claimed.version}`)
    throw new Refusal(
      'log_body',
      `the entry is ${kind.slice(0, 80)}, but the bundle calls it ${claimed.kind}/${claimed.version}`,
    );
  const read = Object.hasOwn(READERS, kind) ? READERS[kind] : undefined;
  if (!read) throw new Refusal('log_body', `log entries of type ${kind.slice(0, 80)} are not supported`);
  const bound = read(at(value, 'spec'), signed);
  if (!bound.signature?.equals(signed.signature))
    throw new Refusal('log_body', 'the log entry records another signature');
  const { algorithm, hex } = bound.digest;
  const subject = bound.over === 'signed' ? signed.signed : signed.payload;
  if (!subject || !algorithm || subject.digest(algorithm)?.toString('hex') !== hex)
    throw new Refusal('log_body', 'the log entry records the digest of something else');
  if (!bound.isSigner) throw new Refusal('log_body', 'the log entry records another key or certificate');
}

/** The Rekor v2 entry that such a signature makes: lets a proof without body be checked, since nothing in it is free. */
export function expectedBodies(signed: SignedThing, hash: string, keyDetails: string | null): Buffer[] {
  if (!keyDetails) return [];
  const verifier = signed.certificate
    ? { keyDetails, x509Certificate: { rawBytes: signed.certificate.raw.toString('base64') } }
    : { keyDetails, publicKey: { rawBytes: signed.spki.toString('base64') } };
  const content = signed.signature.toString('base64');
  const digest = (thing: Hashed, algorithm: string): object => ({
    algorithm: SPELLED[algorithm],
    digest: thing.digest(algorithm)?.toString('base64'),
  });
  const bodies: unknown[] = [
    {
      apiVersion: '0.0.2',
      kind: 'hashedrekord',
      spec: { hashedRekordV002: { data: digest(signed.signed, hash), signature: { content, verifier } } },
    },
  ];
  if (signed.payload)
    bodies.push({
      apiVersion: '0.0.2',
      kind: 'dsse',
      spec: {
        dsseV002: { payloadHash: digest(signed.payload, 'sha256'), signatures: [{ content, verifier }] },
      },
    });
  return bodies.map((body) => Buffer.from(JSON.stringify(body)));
}
