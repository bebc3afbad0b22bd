/** Signatures over a file: every pair of key and hash, with the file or only its digest, and what must not pass for one. */
import { createPublicKey, hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import type { Digest } from '../../../src/base/digest.ts';
import { ALGORITHMS, type Algorithm, hashOf } from '../../../src/evidence/common/keys.ts';
import type { EvidenceRecord } from '../../../src/evidence/documents/record.ts';
import { parseWantedSubject, wantDigest } from '../../../src/evidence/documents/subject.ts';
import type { Trust } from '../../../src/evidence/trust/trust.ts';
import { envelope, makeKey, messageBundle, signWith, type TestKey } from '../../support/keys.ts';
import { trustOf, verifyAs } from '../../support/verify.ts';

const FILE = Buffer.from('what was released\n');
const SHA256 = `sha256:${hash('sha256', FILE, 'hex')}` as Digest;

const overFile = (trust: Trust, bundle: unknown, artifact = FILE): Promise<EvidenceRecord> =>
  verifyAs(trust, bundle, {
    artifact,
    wanted: {
      kind: 'listed',
      subjects: [wantDigest('artifact', `sha256:${hash('sha256', artifact, 'hex')}` as Digest)],
    },
  });
const overDigest = (trust: Trust, bundle: unknown, ...digests: string[]): Promise<EvidenceRecord> =>
  verifyAs(trust, bundle, {
    wanted: { kind: 'listed', subjects: digests.map((text) => parseWantedSubject(text)!) },
  });
const digestFor = (algorithm: Algorithm, file = FILE): string => {
  const name = hashOf(algorithm) ?? 'sha256';
  return `${name}:${hash(name, file, 'hex')}`;
};

const keys = Object.fromEntries(ALGORITHMS.map((algorithm) => [algorithm, makeKey(algorithm)])) as Record<
  Algorithm,
  TestKey
>;
/** No algorithm is named: what the registry has counts. */
const unnamed = (key: TestKey): Promise<Trust> => trustOf([key], {}, { alg: undefined });

describe('a signature over a file', () => {
  it.each(ALGORITHMS)(
    '%s: where the policy names it, with the file and with its digest',
    async (algorithm) => {
      const key = keys[algorithm];
      const trust = await trustOf([key]);
      for (const raw of algorithm.startsWith('ecdsa') ? [false, true] : [false]) {
        const bundle = messageBundle(signWith(key, FILE, { raw }), FILE);
        const record = await overFile(trust, bundle);
        expect(record).toMatchObject({ verdict: 'verified', envelopes: [{ signers: [{ algorithm }] }] });
        expect((await overFile(trust, bundle, Buffer.from('another'))).code).toBe('artifact_mismatch');
        const byDigest = await overDigest(trust, bundle, digestFor(algorithm));
        if (algorithm === 'ed25519') {
          expect(byDigest.code).toBe('artifact_mismatch');
          expect(byDigest.message).toContain('over the file itself, not over a digest');
        } else expect(byDigest.code).toBeNull();
        const other = messageBundle(signWith(makeKey(algorithm), FILE, { raw }), FILE, null);
        expect((await overFile(trust, other)).code).toBe('signature_invalid');
        if (algorithm !== 'ed25519')
          expect((await overDigest(trust, other, digestFor(algorithm))).code).toBe('signature_invalid');
      }
    },
  );

  it.each<[Algorithm, boolean]>([
    ['ecdsa-p256-sha256', true],
    ['ecdsa-p384-sha384', true],
    ['ecdsa-p384-sha256', true],
    ['ecdsa-p521-sha512', true],
    ['ecdsa-p521-sha256', true],
    ['ed25519', true],
    ['ed25519ph', true],
    ['ecdsa-p256-sha384', false],
    ['ecdsa-p384-sha512', false],
    ['ecdsa-p521-sha384', false],
  ])('%s, where the policy names no algorithm: %s', async (algorithm, counts) => {
    const key = keys[algorithm];
    const record = await overFile(await unnamed(key), messageBundle(signWith(key, FILE), FILE));
    expect(record.code).toBe(counts ? null : 'signature_algorithm');
    if (!counts) expect(record.message).toContain(`made the signature with ${algorithm}`);
  });

  it.each(['sha256', 'sha384', 'sha512', 'sha3-256', null] as const)(
    'whatever hash the bundle names the file by (%s): the signature has its own',
    async (named) => {
      for (const algorithm of ['ecdsa-p384-sha384', 'ecdsa-p256-sha256', 'ed25519ph'] as const) {
        const key = keys[algorithm];
        const bundle = messageBundle(signWith(key, FILE), FILE, named);
        expect((await overFile(await unnamed(key), bundle)).code).toBeNull();
        const wrong = messageBundle(signWith(key, FILE), Buffer.from('another'), named);
        expect((await overFile(await unnamed(key), wrong)).code).toBe(named ? 'artifact_mismatch' : null);
      }
    },
  );

  it('counts RSA-PSS with a salt of any length', async () => {
    for (const algorithm of ['rsa-pss-sha256', 'rsa-pss-sha512'] as const)
      for (const salt of [0, 20, 32, 64, 126]) {
        const key = keys[algorithm];
        const bundle = messageBundle(signWith(key, FILE, { salt }), FILE);
        expect((await overFile(await trustOf([key]), bundle)).code).toBeNull();
        expect((await overDigest(await trustOf([key]), bundle, digestFor(algorithm))).code).toBeNull();
      }
  });
});

describe('Ed25519 and Ed25519ph', () => {
  const key = makeKey('ed25519');
  const ph: TestKey = { ...key, algorithm: 'ed25519ph' };
  const [pure, prehashed] = [signWith(key, FILE), signWith(ph, FILE)];

  it('are never taken for each other: each counts under its own name alone', async () => {
    const table: [TestKey, Buffer, string | null][] = [
      [key, pure, null],
      [ph, prehashed, null],
      [ph, pure, 'signature_algorithm'],
      [key, prehashed, 'signature_algorithm'],
    ];
    for (const [pinned, signature, code] of table)
      expect((await overFile(await trustOf([pinned]), messageBundle(signature, FILE))).code).toBe(code);
  });

  it('do not stand for each other where one signs the other’s digest', async () => {
    const digest = hash('sha512', FILE, 'buffer');
    for (const signature of [signWith(key, digest), signWith(ph, digest)])
      for (const pinned of [key, ph]) {
        const bundle = messageBundle(signature, FILE, null);
        expect((await overFile(await trustOf([pinned]), bundle)).verdict).toBe('rejected');
        expect((await overDigest(await trustOf([pinned]), bundle, digestFor('ed25519ph'))).verdict).toBe(
          'rejected',
        );
      }
  });

  it('by a digest alone, a signature that may be one over the file is not called bad', async () => {
    const record = await overDigest(
      await unnamed(key),
      messageBundle(pure, FILE, null),
      digestFor('ed25519ph'),
    );
    expect(record.code).toBe('artifact_mismatch');
    expect(record.message).toMatch(
      /no signature over the digest given, and an Ed25519 signature is over the file/,
    );
    const good = await overDigest(await unnamed(key), messageBundle(prehashed, FILE), digestFor('ed25519ph'));
    expect(good.code).toBeNull();
  });

  it('Ed25519ph is that of RFC 8032, 7.3', async () => {
    const x = 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf';
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(x, 'hex').toString('base64url') };
    const published = { algorithm: 'ed25519ph', publicKey: createPublicKey({ key: jwk, format: 'jwk' }) };
    const signature = Buffer.from(
      '98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406',
      'hex',
    );
    const trust = await trustOf([published as TestKey]);
    const abc = Buffer.from('abc');
    expect((await overFile(trust, messageBundle(signature, abc), abc)).code).toBeNull();
  });

  it('in an envelope, Ed25519ph counts only where the policy names it', async () => {
    const json = envelope([ph]);
    expect((await verifyAs(await trustOf([ph]), json)).code).toBeNull();
    const record = await verifyAs(await unnamed(ph), json);
    expect(record.code).toBe('signature_algorithm');
    expect(record.message).toContain('with ed25519ph, and ed25519 is what counts');
    expect((await verifyAs(await unnamed(key), envelope([key]))).code).toBeNull();
  });

  it('refuses a key and signatures of small order, and an S that is too large', async () => {
    const forged = Buffer.concat([Buffer.from([1]), Buffer.alloc(63)]);
    const large = Buffer.from(prehashed);
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = BigInt(`0x${Buffer.from(large.subarray(32)).reverse().toString('hex')}`) + order;
    Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse().copy(large, 32);
    for (const signature of [forged, large, prehashed.subarray(0, 63), Buffer.concat([prehashed, forged])])
      expect((await overFile(await trustOf([ph]), messageBundle(signature, FILE))).code).toBe(
        'signature_invalid',
      );
  });
});

describe('a digest instead of the file', () => {
  const key = keys['ecdsa-p256-sha256'];
  const bundle = messageBundle(signWith(key, FILE), FILE);

  it.each<[string, string, string[], RegExp]>([
    ['artifact_mismatch', 'another file', [`sha256:${'0'.repeat(64)}`], /not the one whose digest/],
    ['artifact_mismatch', 'another hash than the signature’s', [digestFor('ed25519ph')], /a sha256 digest/],
    ['subject_missing', 'a second digest that nobody signed', [SHA256, digestFor('ed25519ph')], /sha512:/],
  ])('%s: %s', async (code, _name, digests, message) => {
    const record = await overDigest(await trustOf([key]), bundle, ...digests);
    expect(record.code).toBe(code);
    expect(record.message).toMatch(message);
  });

  it('signature_invalid: the right digest, and a signature over another file', async () => {
    const swapped = messageBundle(signWith(key, Buffer.from('another')), FILE);
    expect((await overDigest(await trustOf([key]), swapped, SHA256)).code).toBe('signature_invalid');
  });

  it('artifact_mismatch: nothing at all to hold it against', async () => {
    const record = await verifyAs(await trustOf([key]), bundle, { wanted: { kind: 'any' } });
    expect(record.code).toBe('artifact_mismatch');
  });
});
