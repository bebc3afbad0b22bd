/** Keys of a team: every algorithm and form, windows and revocation, and the DSSE specification’s example. */
import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ALGORITHMS, type Algorithm, parsePublicKey } from '../../../src/evidence/common/keys.ts';
import { matchSignatures, parseEnvelope, preAuthEncoding } from '../../../src/evidence/documents/dsse.ts';
import { parseStatement } from '../../../src/evidence/documents/statement.ts';
import { envelope, makeKey, signWith, type TestKey } from '../../support/keys.ts';
import { trustOf, verifyAs } from '../../support/verify.ts';

const key = makeKey();
const _other = makeKey();
const trust = await trustOf([key]);
const _code = async (content: unknown, o = {}): Promise<string | null> =>
  (await verifyAs(trust, content, o)).code;

describe('the DSSE specification’s own example', () => {
  const hex = (digits: string): string =>
    Buffer.from(BigInt(digits).toString(16).padStart(64, '0'), 'hex').toString('base64url');
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: hex('46950820868899156662930047687818585632848591499744589407958293238635476079160'),
    y: hex('5640078356564379163099075877009565129882514886557779369047442380624545832820'),
  };
  const example = {
    payload: Buffer.from('hello world').toString('base64'),
    payloadType: 'http://example.com/HelloWorld',
    signatures: [
      { sig: 'A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==' },
    ],
  };

  it('is accepted (raw r||s), and refused as a statement since it is none', async () => {
    const publicKey = parsePublicKey(Buffer.from(JSON.stringify(jwk)), 'the example');
    const parsed = parseEnvelope(example, 'the example');
    expect(matchSignatures(parsed, [publicKey])).toEqual([publicKey]);
    expect(() => parseStatement(parsed)).toThrow(expect.objectContaining({ code: 'statement_not_in_toto' }));
    const own = await trustOf([
      { algorithm: 'ecdsa-p256-sha256', publicKey: createPublicKey({ key: jwk, format: 'jwk' }) } as TestKey,
    ]);
    const record = await verifyAs(own, example);
    expect(record.code).toBe('statement_not_in_toto');
    expect(record.envelopes[0]!.checks.find(({ name }) => name === 'signature')!.status).toBe('passed');
  });
});

describe('keys', () => {
  it.each(ALGORITHMS.map((algorithm) => [algorithm] as const))('%s signs and verifies', async (algorithm) => {
    const own = makeKey(algorithm);
    expect((await verifyAs(await trustOf([own]), envelope([own]))).verdict).toBe('verified');
    expect((await verifyAs(await trustOf([own]), envelope([makeKey(algorithm)]))).code).toBe(
      'signature_invalid',
    );
  });

  it.each<[Algorithm]>([['ecdsa-p256-sha256'], ['ecdsa-p384-sha384'], ['ecdsa-p521-sha512']])(
    '%s as raw r||s',
    async (algorithm) => {
      const own = makeKey(algorithm);
      const json = envelope([own]);
      const signed = preAuthEncoding(json.payloadType, Buffer.from(json.payload, 'base64'));
      json.signatures[0]!.sig = signWith(own, signed, { raw: true }).toString('base64');
      expect((await verifyAs(await trustOf([own]), json)).verdict).toBe('verified');
    },
  );

  it('are read as PEM, DER and JWK, and are the same key', () => {
    const { publicKey } = makeKey('ecdsa-p384-sha384');
    const forms = [
      Buffer.from(publicKey.export({ type: 'spki', format: 'pem' })),
      publicKey.export({ type: 'spki', format: 'der' }),
      Buffer.from(JSON.stringify(publicKey.export({ format: 'jwk' }))),
    ].map((bytes) => parsePublicKey(bytes, 'key').fingerprint);
    expect(new Set(forms).size).toBe(1);
  });

  it.each([
    ['a private key', Buffer.from(key.privateKey.export({ type: 'pkcs8', format: 'pem' }))],
    ['a private JWK', Buffer.from(JSON.stringify(key.privateKey.export({ format: 'jwk' })))],
    ['two keys', Buffer.from(`${key.publicKey.export({ type: 'spki', format: 'pem' })}`.repeat(2))],
    ['nothing', Buffer.alloc(0)],
    ['noise', Buffer.from('not a key')],
  ])('refuses %s', (_name, bytes) => {
    expect(() => parsePublicKey(bytes, 'key')).toThrow(
      expect.objectContaining({ code: 'trust_key_malformed' }),
    );
  });

  it('refuses an algorithm that is not the key’s', async () => {
    const wrong = await trustOf([{ ...key, algorithm: 'rsa-pss-sha256' }]);
    expect((await verifyAs(wrong, envelope([key]))).code).toBe('signature_algorithm');
  });

  it.each<[string | null, string, Record<string, string>]>([
    [null, 'inside its window', { notBefore: '2026-01-01T00:00:00Z', notAfter: '2027-01-01T00:00:00Z' }],
    ['time_outside', 'expired, and no time is proven', { notAfter: '2026-11-01T00:00:00Z' }],
    ['time_outside', 'not valid yet', { notBefore: '2090-01-01T00:00:00Z' }],
    ['trust_key_revoked', 'revoked', { revokedAt: '2026-11-21T12:00:00Z' }],
    [null, 'to be revoked', { revokedAt: '2026-12-21T12:00:00Z' }],
  ])('%s: a key %s', async (expected, _name, window) => {
    expect((await verifyAs(await trustOf([key], {}, window), envelope([key]))).code).toBe(expected);
  });
});
