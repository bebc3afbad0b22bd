/** DSSE envelopes: a payload, its type, and any number of signatures over both (github.com/secure-systems-lab/dsse). */

import { EVIDENCE_LIMITS } from '../../base/limits.ts';
import { array, type Shape, string } from '../../base/shape.ts';
import { type PublicKey, verifySignature } from '../common/keys.ts';
import { Refusal } from '../common/refusal.ts';
import { base64, bytesOf, checkedAs, openObject } from '../common/strict.ts';

export interface Envelope {
  payload: Buffer;
  payloadType: string;
  signatures: EnvelopeSignature[];
}

export interface EnvelopeSignature {
  /** An unsigned hint, which is easy to forge: shown, never used to choose a key. */
  keyid: string;
  sig: Buffer;
}

/** An envelope's JSON, once its form was checked. */
export interface EnvelopeJson {
  payload: string;
  payloadType: string;
  signatures: { keyid?: string; sig: string }[];
}

/** Members that are not known are ignored, as envelope.md of DSSE 1.0.2 demands: they are not signed, and nothing reads them. */
export const envelopeShape: Shape<EnvelopeJson> = openObject(
  {
    payload: base64({ empty: true }),
    payloadType: string({ pattern: /^[\x21-\x7e]+$/, max: 1024, hint: 'a media type or URI' }),
    signatures: array(
      openObject({ keyid: string({ max: 4096 }), sig: base64({ max: EVIDENCE_LIMITS.signatureBytes }) }, [
        'sig',
      ]),
      { max: EVIDENCE_LIMITS.signatures },
    ),
  },
  ['payload', 'payloadType', 'signatures'],
);

/** JSON that the shape has accepted, as an envelope. */
export function envelopeOf(json: EnvelopeJson): Envelope {
  return {
    payload: bytesOf(json.payload),
    payloadType: json.payloadType,
    signatures: json.signatures.map(({ keyid = '', sig }) => ({ keyid, sig: bytesOf(sig) })),
  };
}

/** An untrusted JSON value to an envelope; none or repeated signatures are refused. */
export function parseEnvelope(value: unknown, name: string): Envelope {
  const envelope = envelopeOf(checkedAs(envelopeShape, value, name, 'evidence_malformed'));
  if (envelope.signatures.length === 0) throw new Refusal('signature_missing', `${name} has no signature`);
  const seen = new Set(envelope.signatures.map(({ sig }) => sig.toString('hex')));
  if (seen.size < envelope.signatures.length)
    throw new Refusal('signature_duplicate', `${name} has the same signature twice`);
  return envelope;
}

/** The bytes that are signed (pre-authentication encoding), so that the type cannot be swapped. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType, 'utf8');
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${type.length} `),
    type,
    Buffer.from(` ${payload.length} `),
    payload,
  ]);
}

/** For each signature the key that made it, or undefined: key ids are ignored, every key is tried. */
export function matchSignatures(envelope: Envelope, keys: PublicKey[]): (PublicKey | undefined)[] {
  const signed = preAuthEncoding(envelope.payloadType, envelope.payload);
  return envelope.signatures.map(({ sig }) => keys.find((key) => verifySignature(key, signed, sig)));
}
