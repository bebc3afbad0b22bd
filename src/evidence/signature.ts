/** The first check: which key made which signature over exactly these bytes. Whether the key is trusted comes later. */
import { hash, type KeyObject, X509Certificate } from 'node:crypto';
import type { Bundle } from './bundle.ts';
import type { Circumstances } from './circumstances.ts';
import { type Envelope, matchSignatures, preAuthEncoding } from './dsse.ts';
import type { Evidence } from './evidence-file.ts';
import { bindAlgorithm, type PublicKey, verifySignature } from './keys.ts';
import type { SignedThing } from './log/body.ts';
import { Refusal } from './refusal.ts';

/** A signature that was verified, and the key that made it. */
export interface Verified {
  key: PublicKey;
  thing: SignedThing;
}

function policyKeys(c: Circumstances): PublicKey[] {
  const keys = c.trust.authorities.flatMap(({ key }) => (key ? [key] : []));
  if (keys.length === 0)
    throw new Refusal('identity_unknown', 'it is signed with a key, and the policy names no key');
  return keys;
}

/** A certificate whose key can be used: Node reads the key only when it is asked for. */
function parseCertificate(der: Buffer, name: string): { certificate: X509Certificate; publicKey: KeyObject } {
  try {
    const certificate = new X509Certificate(der);
    // What the parser passed over, such as bytes after its end, would be in nobody's signature.
    if (!certificate.raw.equals(der)) throw new Error('it is not exactly one certificate');
    return { certificate, publicKey: certificate.publicKey };
  } catch (error) {
    throw new Refusal(
      'evidence_malformed',
      `${name}: the certificate cannot be read: ${(error as Error).message}`,
      error,
    );
  }
}

function signedBytes(
  bundle: Bundle,
  c: Circumstances,
): Pick<SignedThing, 'signature' | 'signed' | 'payload'> {
  const { content } = bundle;
  if (content.kind === 'envelope') {
    const { payload, payloadType, signatures } = content.envelope;
    return { signature: signatures[0]!.sig, signed: preAuthEncoding(payloadType, payload), payload };
  }
  if (!c.artifact)
    throw new Refusal(
      'artifact_mismatch',
      'it signs a file, not a statement: reenact verify evidence --artifact holds it against that file',
    );
  // The digest in the bundle is not signed, but one that differs shows that another file is meant.
  if (!hash(content.hash, c.artifact, 'buffer').equals(content.digest))
    throw new Refusal('artifact_mismatch', 'the file is not the one whose digest the bundle names');
  return { signature: content.signature, signed: c.artifact, payload: null };
}

function verifyBundle(bundle: Bundle, name: string, c: Circumstances): Verified[] {
  const { material } = bundle;
  const parsed = material.kind === 'certificate' ? parseCertificate(material.der, name) : null;
  const certificate = parsed?.certificate ?? null;
  // The hint in a bundle is the signer's word: every key of the policy is tried instead.
  const keys = parsed
    ? // Of RSA certificates, Fulcio issues those for PKCS#1 v1.5 with SHA-256 only.
      [bindAlgorithm(parsed.publicKey, undefined, 'rsa-pkcs1-sha256')]
    : policyKeys(c);
  const bytes = signedBytes(bundle, c);
  const key = keys.find((one) => verifySignature(one, bytes.signed, bytes.signature));
  if (!key)
    throw new Refusal(
      'signature_invalid',
      certificate
        ? 'the signature was not made by the certificate’s key over this content'
        : 'no key of the policy made the signature over this content',
    );
  return [{ key, thing: { ...bytes, spki: key.spki, certificate } }];
}

function verifyEnvelope(envelope: Envelope, c: Circumstances): Verified[] {
  const signed = preAuthEncoding(envelope.payloadType, envelope.payload);
  const verified = matchSignatures(envelope, policyKeys(c)).flatMap((key, index): Verified[] => {
    if (!key) return [];
    const { sig: signature } = envelope.signatures[index]!;
    const thing = { signature, signed, payload: envelope.payload, spki: key.spki, certificate: null };
    return [{ key, thing }];
  });
  if (verified.length === 0)
    throw new Refusal('signature_invalid', 'no key of the policy made any signature over this content');
  return verified;
}

/** Every signature of the evidence that can be verified, or a Refusal when there is none. */
export function verifySignatures(evidence: Evidence, c: Circumstances): Verified[] {
  return evidence.content.kind === 'bundle'
    ? verifyBundle(evidence.content.bundle, evidence.name, c)
    : verifyEnvelope(evidence.content.envelope, c);
}
