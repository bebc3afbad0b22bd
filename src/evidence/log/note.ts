/** Signed notes, which checkpoints are (c2sp.org/signed-note), and the keys that sign them. */

import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { decodePaddedBase64 } from '../../base/base64.ts';
import { EVIDENCE_LIMITS } from '../../base/limits.ts';
import { itemAt } from '../../base/list.ts';
import { Refusal } from '../common/refusal.ts';

interface NoteSignature {
  name: string;
  /** The first 4 bytes of the key's hash: a hint, like the name. */
  keyId: Buffer;
  signature: Buffer;
}

export interface Note {
  /** The signed text, its last newline included. */
  text: string;
  signatures: NoteSignature[];
}

export interface NoteKey {
  name: string;
  keyId: Buffer;
  /** `cosignature/v1` is a witness's, over the note and a time (c2sp.org/tlog-cosignature). */
  scheme: 'ed25519' | 'ecdsa' | 'rsa' | 'cosignature/v1';
  key: KeyObject;
}

// U+0085 is a space in Unicode, and not to JavaScript.
const SIGNATURE_LINE = /^— ([^\s\u0085+]+) ([A-Za-z0-9+/=]+)$/u;
const VERIFIER_KEY = /^([^\s\u0085+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u;
const ED25519_SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const MAX_SIGNATURES = 100;
/** Curves that type 2 may use (c2sp.org/signed-note), as OpenSSL calls P-256, P-384 and P-521. */
const CURVES = ['prime256v1', 'secp384r1', 'secp521r1'];
const MAX_COSIGNATURE_TIME = 2n ** 63n - 1n;

function refuse(message: string): Refusal {
  return new Refusal('log_checkpoint', message);
}

function parseSignature(line: string): NoteSignature {
  const [, name, text] = SIGNATURE_LINE.exec(line) ?? [];
  const bytes = text === undefined ? undefined : decodePaddedBase64(text);
  if (!name || !bytes || bytes.length < 5)
    throw refuse(`not a signature line: ${JSON.stringify(line.slice(0, 80))}`);
  return { name, keyId: bytes.subarray(0, 4), signature: bytes.subarray(4) };
}

/** Untrusted text to a note: text, a blank line, signature lines, and nothing else. */
export function parseNote(text: string): Note {
  if (text.length > EVIDENCE_LIMITS.checkpointBytes)
    throw refuse(`the checkpoint is over ${EVIDENCE_LIMITS.checkpointBytes} characters`);
  // A lone surrogate would be verified and kept as other bytes than those in the file.
  if (!text.isWellFormed()) throw refuse('the checkpoint is not well-formed Unicode');
  // Control characters could hide a line from a person, or start one for a lenient reader.
  if (/[\u0000-\u0009\u000b-\u001f\u007f]/.test(text)) throw refuse('the checkpoint has control characters');
  const end = text.lastIndexOf('\n\n');
  if (end <= 0 || !text.endsWith('\n')) throw refuse('the checkpoint has no signatures after a blank line');
  const lines = text.slice(end + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw refuse(`the checkpoint has over ${MAX_SIGNATURES} signatures`);
  return { text: text.slice(0, end + 1), signatures: lines.map(parseSignature) };
}

/** SHA-256(name || newline || type || key), of which a key id is the beginning. */
function keyHash(name: string, type: number, key: Uint8Array): Buffer {
  return createHash('sha256')
    .update(`${name}\n`)
    .update(Buffer.from([type]))
    .update(key)
    .digest();
}

/** The id that bundles name a log by: of the name and key, or of the key alone where it is ECDSA, as Rekor has it. */
export function logId({ name, scheme, key }: NoteKey): Buffer {
  const spki = key.export({ type: 'spki', format: 'der' });
  return scheme === 'ed25519'
    ? keyHash(name, 1, spki.subarray(-32))
    : createHash('sha256').update(spki).digest();
}

/** A key of type 2; a key of another kind would fail later and not as an invalid signature. */
function parseEcdsaKey(spki: Buffer): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    return CURVES.includes(key.asymmetricKeyDetails?.namedCurve ?? '') ? key : undefined;
  } catch {
    return undefined;
  }
}

/** A verifier key as C2SP writes it: name+hash+base64(type || key); types 1 (Ed25519), 2 (ECDSA) and 4 (witness). */
export function parseVerifierKey(text: string): NoteKey {
  const [, name = '', hash = '', data = ''] = VERIFIER_KEY.exec(text) ?? [];
  const bytes = decodePaddedBase64(data);
  const fail = (message: string): Refusal =>
    new Refusal('log_key', `verifier key ${JSON.stringify(text.slice(0, 80))} ${message}`);
  if (!name || !bytes || bytes.length < 33) throw fail('is not of the form name+hash+base64');
  const type = itemAt(bytes, 0);
  const raw = bytes.subarray(1);
  const keyId = (type === 2 ? createHash('sha256').update(raw).digest() : keyHash(name, type, raw)).subarray(
    0,
    4,
  );
  if (keyId.toString('hex') !== hash) throw fail('has a hash that is not its key’s');
  if (type === 2) {
    const key = parseEcdsaKey(raw);
    if (!key) throw fail('holds no ECDSA key on P-256, P-384 or P-521');
    return { name, keyId, scheme: 'ecdsa', key };
  }
  if ((type !== 1 && type !== 4) || raw.length !== 32)
    throw fail(`is of type ${type}, which is not supported`);
  const key = createPublicKey({
    key: Buffer.concat([ED25519_SPKI_PREFIX, raw]),
    format: 'der',
    type: 'spki',
  });
  return { name, keyId, scheme: type === 1 ? 'ed25519' : 'cosignature/v1', key };
}

function verifyOne(note: Note, key: NoteKey, signature: Buffer): boolean {
  const text = Buffer.from(note.text);
  if (key.scheme === 'ed25519') return verify(null, text, key.key, signature);
  if (key.scheme !== 'cosignature/v1') return verify('sha256', text, key.key, signature);
  if (signature.length !== 72) return false;
  const time = signature.readBigUInt64BE(0);
  if (time > MAX_COSIGNATURE_TIME) return false;
  const signed = Buffer.from(`cosignature/v1\ntime ${time}\n${note.text}`);
  return verify(null, signed, key.key, signature.subarray(8));
}

/**
 * Whether the key signed the note. Lines of other keys are ignored; a line that names this key, by its whole
 * name and id, and does not verify is an attack or damage, and refused.
 */
export function isSignedBy(note: Note, key: NoteKey): boolean {
  const own = note.signatures.filter(({ name, keyId }) => name === key.name && keyId.equals(key.keyId));
  for (const { signature } of own)
    if (!verifyOne(note, key, signature))
      throw refuse(`the signature of ${key.name} on the checkpoint is not valid`);
  return own.length > 0;
}
