/** Notes and their keys have one spelling each, and a key is of the kind that it says. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../src/evidence/common/refusal.ts';
import { parseCheckpoint } from '../../../src/evidence/log/checkpoint.ts';
import { isSignedBy, type NoteKey, parseNote, parseVerifierKey } from '../../../src/evidence/log/note.ts';
import { parseTlogProof } from '../../../src/evidence/log/tlog-proof.ts';

function codeOf(check: () => unknown): string {
  try {
    check();
    return 'accepted';
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.code;
  }
}

describe('base64 is the standard one, padded', () => {
  // 0xff gives the two characters in which the alphabets differ, 0x00 none of them.
  const hash = Buffer.alloc(32, 0xff);
  const plain = Buffer.alloc(32);
  const note = (signature: string): string => `text\n\n— log.example ${signature}\n`;
  const checkpoint = (root: string): string => `log.example\n1\n${root}\n\n— log.example AAAAAAAA\n`;
  const proof = (line: string): Buffer =>
    Buffer.from(`c2sp.org/tlog-proof@v1\nindex 0\n${line}\n\n${checkpoint(plain.toString('base64'))}`);
  const withExtra = proof(plain.toString('base64')).toString().replace('index', 'extra EXTRA\nindex');

  it.each<[string, (text: string) => unknown]>([
    ['log_checkpoint', (text) => parseNote(note(text))],
    ['log_checkpoint', (text) => parseCheckpoint(checkpoint(text))],
    ['evidence_malformed', (text) => parseTlogProof(proof(text), 'a')],
    ['evidence_malformed', (text) => parseTlogProof(Buffer.from(withExtra.replace('EXTRA', text)), 'a')],
  ])('%s: another spelling (reader %#)', (code, parse) => {
    expect(codeOf(() => parse(hash.toString('base64')))).toBe('accepted');
    for (const text of [
      hash.toString('base64url'),
      plain.toString('base64url'),
      `${plain.toString('base64')}=`,
      `${plain.toString('base64').slice(0, -2)}B=`,
    ])
      expect(codeOf(() => parse(text))).toBe(code);
  });
});

describe('signature lines', () => {
  it.each([
    ['a hyphen for the dash', 'a\n\n- log.example AAAAAAAA\n'],
    ['two spaces', 'a\n\n—  log.example AAAAAAAA\n'],
    ['a plus in the name', 'a\n\n— log+example AAAAAAAA\n'],
    ['a no-break space in the name', 'a\n\n— log\u00a0example AAAAAAAA\n'],
    ['a next-line character in the name', 'a\n\n— log\u0085example AAAAAAAA\n'],
    ['no name', 'a\n\n—  AAAAAAAA\n'],
    ['no more than a key id', 'a\n\n— log.example AAAAAA==\n'],
    ['a space at the end', 'a\n\n— log.example AAAAAAAA \n'],
    ['a blank line at the end', 'a\n\n— log.example AAAAAAAA\n\n'],
    ['a carriage return', 'a\r\n\n— log.example AAAAAAAA\n'],
    ['a tab', 'a\tb\n\n— log.example AAAAAAAA\n'],
    ['a NUL', 'a\0\n\n— log.example AAAAAAAA\n'],
    ['a lone surrogate', 'a\ud800\n\n— log.example AAAAAAAA\n'],
    ['over 100 signatures', `a\n\n${'— log.example AAAAAAAA\n'.repeat(101)}`],
    ['over 64 KiB', `${'a'.repeat(65_536)}\n\n— log.example AAAAAAAA\n`],
  ])('log_checkpoint: %s', (_name, text) => {
    expect(codeOf(() => parseNote(text))).toBe('log_checkpoint');
  });

  it.each([
    ['no origin', '\n1\n'],
    ['a blank line among the extensions', 'log.example\n1\n', '\nextension\n'],
    ['no size', 'log.example\n\n'],
  ])('log_checkpoint: a checkpoint with %s', (_name, before, after = '') => {
    const root = `${Buffer.alloc(32).toString('base64')}\n`;
    const signed = (text: string): string => `${text}\n— log.example AAAAAAAA\n`;
    expect(parseCheckpoint(signed(`log.example\n1\n${root}extension\n`)).size).toBe(1);
    expect(codeOf(() => parseCheckpoint(signed(`${before}${root}${after}`)))).toBe('log_checkpoint');
  });

  it('divides a note at its last blank line', () => {
    const note = parseNote('a\n\nb\n\n— log.example AAAAAAAA\n');
    expect(note.text).toBe('a\n\nb\n');
    expect(note.signatures.length).toBe(1);
  });
});

describe('verifier keys', () => {
  const spki = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });
  const ofType2 = (der: Buffer): string => {
    const hash = createHash('sha256').update(der).digest('hex').slice(0, 8);
    return `log.example+${hash}+${Buffer.concat([Buffer.from([2]), der]).toString('base64')}`;
  };

  it.each(['P-256', 'P-384', 'P-521'])('accepts an ECDSA key on %s', (namedCurve) => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
    const key = parseVerifierKey(ofType2(spki(publicKey)));
    const signature = sign('sha256', Buffer.from('a\n'), privateKey);
    expect(key.scheme).toBe('ecdsa');
    expect(isSignedBy({ text: 'a\n', signatures: [{ ...key, signature }] }, key)).toBe(true);
  });

  it.each([
    ['Ed25519', spki(generateKeyPairSync('ed25519').publicKey)],
    ['X25519', spki(generateKeyPairSync('x25519').publicKey)],
    ['RSA', spki(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey)],
    ['secp256k1', spki(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey)],
    ['no', Buffer.alloc(64, 1)],
  ])('log_key: type 2 with %s key', (_name, der) => {
    expect(codeOf(() => parseVerifierKey(ofType2(der)))).toBe('log_key');
  });

  it('log_key: base64 without its padding', () => {
    const der = spki(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey);
    const key = ofType2(der);
    expect(key.endsWith('=')).toBe(true);
    expect(codeOf(() => parseVerifierKey(key))).toBe('accepted');
    expect(codeOf(() => parseVerifierKey(key.replace(/=+$/, '')))).toBe('log_key');
  });
});

describe('cosignatures', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const key: NoteKey = {
    name: 'witness.example',
    keyId: Buffer.alloc(4),
    scheme: 'cosignature/v1',
    key: publicKey,
  };
  const cosigned = (time: bigint, sizeBytes = 72): string =>
    codeOf(() => {
      const stamp = Buffer.alloc(8);
      stamp.writeBigUInt64BE(time);
      const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${time}\na\n`), privateKey);
      const bytes = Buffer.concat([stamp, signature, Buffer.alloc(8)]).subarray(0, sizeBytes);
      return isSignedBy({ text: 'a\n', signatures: [{ ...key, signature: bytes }] }, key);
    });

  it('have a time up to 2^63-1, and nothing after the signature', () => {
    expect(cosigned(2n ** 63n - 1n)).toBe('accepted');
    expect(cosigned(2n ** 63n)).toBe('log_checkpoint');
    for (const sizeBytes of [1, 8, 71, 73]) expect(cosigned(1n, sizeBytes)).toBe('log_checkpoint');
  });

  it('are not signatures of a log, though the key be the same', () => {
    const signature = sign(null, Buffer.from('a\n'), privateKey);
    const note = { text: 'a\n', signatures: [{ ...key, signature }] };
    expect(isSignedBy(note, { ...key, scheme: 'ed25519' })).toBe(true);
    expect(codeOf(() => isSignedBy(note, key))).toBe('log_checkpoint');
  });
});
