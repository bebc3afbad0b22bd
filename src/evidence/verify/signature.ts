/** The first check: which key made which signature over exactly these bytes. Whether the key is trusted comes later. */

import { type KeyObject, X509Certificate } from 'node:crypto';
import type { Digest } from '../../base/digest.ts';
import { digestFromHex } from '../../base/digest.ts';
import { present } from '../../base/list.ts';
import { messageOf } from '../../base/thrown.ts';
import { hashedBytes } from '../common/hashed.ts';
import { algorithmsOf, bindAlgorithm, type PublicKey, variantsOf } from '../common/keys.ts';
import { Refusal } from '../common/refusal.ts';
import { type Envelope, matchSignatures, preAuthEncoding } from '../documents/dsse.ts';
import type { Bundle } from '../documents/sigstore-bundle.ts';
import type { SignedThing } from '../log/body.ts';
import type { VerificationContext } from './context.ts';
import type { Evidence } from './evidence-file.ts';
import { madeOver, makerOf } from './message.ts';

/** What to do about a key that the policy does not have. */
export const ADD_KEY =
  'if you trust the key that signed it, add it to the policy’s authorities: reenact policy init --key FILE writes them';

/** What to do where nothing says which key is meant: an unknown key or a forgery, of which the worse must be assumed. */
const UNNAMED =
  'do not trust this file: it is not what was signed, or a key signed it that the policy does not have; if you know that key, reenact policy init --key FILE makes a policy with it';

/** A signature that was verified, and the key that made it. */
export interface Verified {
  key: PublicKey;
  thing: SignedThing;
}

/** The policy's keys, each with every algorithm that it counts with for this kind of signature. */
function policyKeys(kind: 'envelope' | 'message', c: VerificationContext): PublicKey[] {
  const keys = c.trust.authorities.flatMap(({ key }) => (key ? [key] : []));
  if (keys.length === 0)
    throw new Refusal(
      'identity_unknown',
      'it is signed with a key, and the policy names no key',
      undefined,
      ADD_KEY,
    );
  // Tools that sign a file with Ed25519 prehash it; tools that sign an envelope do not, unless the policy says so.
  return keys.flatMap((key) => {
    const [first, ...also] = variantsOf(key);
    return [
      present(first),
      ...also.filter(({ algorithm }) => kind === 'message' || algorithm !== 'ed25519ph'),
    ];
  });
}

/** A certificate whose key can be used: Node reads the key only when it is asked for. */
function parseCertificate(der: Buffer, name: string): { certificate: X509Certificate; publicKey: KeyObject } {
  try {
    const certificate = new X509Certificate(der);
    // Bytes that the parser skipped, such as those after its end, would not be covered by any signature.
    if (!certificate.raw.equals(der)) throw new Error('it is not exactly one certificate');
    return { certificate, publicKey: certificate.publicKey };
  } catch (error) {
    throw new Refusal(
      'evidence_malformed',
      `${name}: the certificate cannot be read: ${messageOf(error)}`,
      error,
    );
  }
}

/** The key that a hint names by the digest of its public key, as this command, cosign and Sigstore's bundles write one. */
function fingerprintIn(hint: string): Digest[] {
  const [, hex] = /^(?:sha256:)?([0-9a-f]{64})$/i.exec(hint) ?? [];
  if (hex) return [digestFromHex(hex.toLowerCase())];
  const bytes = /^[A-Za-z0-9+/]{43}=$/.test(hint) ? Buffer.from(hint, 'base64') : Buffer.alloc(0);
  return bytes.length === 32 ? [digestFromHex(bytes.toString('hex'))] : [];
}

/** A signature that no key of the policy made: made by another key, as it says, or not over these bytes. Hints are easy to forge: they choose the words of the error, never a key. */
function unmade(keys: PublicKey[], hints: string[]): Refusal {
  const named = hints.flatMap(fingerprintIn);
  const [stranger] = named;
  if (stranger !== undefined && !keys.some(({ fingerprint }) => named.includes(fingerprint)))
    return new Refusal(
      'identity_unknown',
      `it says that the key ${stranger} signed it, and the key ${stranger} is not in the policy: whether that signature is good, only that key can say`,
      undefined,
      `if you trust the key ${stranger}, get it from its owner and add it to the policy’s authorities: reenact policy init --key FILE writes them`,
    );
  return new Refusal(
    'signature_invalid',
    'no key of the policy made the signature over this content',
    undefined,
    stranger === undefined ? UNNAMED : undefined,
  );
}

/** How many more attempts are made to find out what is wrong with a signature that no key verified. */
const MORE_ATTEMPTS = 256;

/** Why no key verified: perhaps one did make the signature, with an algorithm that does not count. */
async function unverified(
  keys: PublicKey[],
  bytes: Uint8Array | undefined,
  signatures: Buffer[],
  /** The key that the evidence names; null where it has a certificate. */
  hints: string[] | null,
): Promise<Refusal> {
  const counted = new Set(keys.map(({ fingerprint, algorithm }) => `${fingerprint} ${algorithm}`));
  const others = [...new Map(keys.map((key) => [key.fingerprint, key])).values()].flatMap((key) =>
    algorithmsOf(key.key)
      .filter((algorithm) => !counted.has(`${key.fingerprint} ${algorithm}`))
      .map((algorithm): PublicKey => ({ ...key, algorithm })),
  );
  const attempts = signatures.flatMap((signature) => others.map((key) => ({ key, signature })));
  const signed = hashedBytes(bytes ?? Buffer.alloc(0));
  for (const { key, signature } of attempts.slice(0, MORE_ATTEMPTS)) {
    if (!bytes || !(await madeOver(key, bytes, signed, signature))) continue;
    const named = keys.filter(({ fingerprint }) => fingerprint === key.fingerprint);
    return new Refusal(
      'signature_algorithm',
      `the key ${key.fingerprint} made the signature with ${key.algorithm}, and ${named.map(({ algorithm }) => algorithm).join(' or ')} is what counts`,
      undefined,
      `if that is meant, name it in the policy (alg: ${key.algorithm})`,
    );
  }
  if (hints) return unmade(keys, hints);
  return new Refusal(
    'signature_invalid',
    'the signature was not made by the certificate’s key over this content',
  );
}

/** The keys that may have signed: the certificate's, else every one of the policy, whatever hint the bundle gives. */
function keysFor(bundle: Bundle, publicKey: KeyObject | undefined, c: VerificationContext): PublicKey[] {
  if (!publicKey) return policyKeys(bundle.content.kind, c);
  const isRsa = publicKey.asymmetricKeyType === 'rsa';
  // No policy can pin the algorithm of a key that lives for minutes: all that are sound for it count.
  const own = bindAlgorithm(publicKey, undefined, isRsa ? algorithmsOf(publicKey) : undefined);
  return variantsOf(own).filter(
    ({ algorithm }) => bundle.content.kind === 'message' || algorithm !== 'ed25519ph',
  );
}

async function verifyBundle(bundle: Bundle, name: string, c: VerificationContext): Promise<Verified[]> {
  const { material, content } = bundle;
  const parsed = material.kind === 'certificate' ? parseCertificate(material.der, name) : null;
  const certificate = parsed?.certificate ?? null;
  const keys = keysFor(bundle, parsed?.publicKey, c);
  const hints = material.kind === 'key' ? [material.hint] : null;
  if (content.kind === 'message') {
    const { signature } = content;
    const maker = await makerOf(content, keys, c);
    if (!maker) throw await unverified(keys, c.artifact, [signature], hints);
    const { key, signed } = maker;
    return [{ key, thing: { signature, signed, payload: null, spki: key.spki, certificate } }];
  }
  return verifyEnvelope(content.envelope, keys, certificate, hints);
}

async function verifyEnvelope(
  envelope: Envelope,
  keys: PublicKey[],
  certificate: X509Certificate | null,
  hints: string[] | null,
): Promise<Verified[]> {
  const bytes = preAuthEncoding(envelope.payloadType, envelope.payload);
  const [signed, payload] = [hashedBytes(bytes), hashedBytes(envelope.payload)];
  const verified: Verified[] = [];
  const makers = matchSignatures(envelope, keys);
  const prehashing = keys.filter(({ algorithm }) => algorithm === 'ed25519ph');
  for (const [index, { sig: signature }] of envelope.signatures.entries()) {
    let key = makers[index];
    for (const one of key ? [] : prehashing)
      if (!key && (await madeOver(one, bytes, signed, signature))) key = one;
    if (key) verified.push({ key, thing: { signature, signed, payload, spki: key.spki, certificate } });
  }
  if (verified.length === 0)
    throw await unverified(
      keys,
      bytes,
      envelope.signatures.map(({ sig }) => sig),
      hints && [...hints, ...envelope.signatures.map(({ keyid }) => keyid)],
    );
  return verified;
}

/** Every signature of the evidence that can be verified, or a Refusal when there is none. */
export async function verifySignatures(evidence: Evidence, c: VerificationContext): Promise<Verified[]> {
  const { content } = evidence;
  if (content.kind === 'bundle') return verifyBundle(content.bundle, evidence.name, c);
  const keys = policyKeys('envelope', c);
  return verifyEnvelope(content.envelope, keys, null, []);
}
