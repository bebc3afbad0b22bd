/** RFC 3161 times: every fraction, key and hash that authorities use; a stranger's beside a good one; what is wrong is said. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import type { EvidenceRecord } from '../../../src/evidence/documents/record.ts';
import { parseGenTime, Timestamp } from '../../../src/evidence/trust/timestamp.ts';
import { Trust } from '../../../src/evidence/trust/trust.ts';
import { parsePolicy } from '../../../src/policy/policy.ts';
import { makeAuthority, type TimestampAuthority } from '../../support/authority.ts';
import { IDENTITY, TestSigstore } from '../../support/sigstore.ts';
import { verifyAs } from '../../support/verify.ts';
import { tempFolder } from '../../support/world.ts';

const sigstore = new TestSigstore();
const good = makeAuthority();
const stranger = makeAuthority({ issuer: '/O=Strange/CN=Stranger' });
const DAY = 86_400_000;
const nowMs = Date.now();

/** A bundle of now, in which one entry of the log has no promise: its time is the timestamps'. */
function bundleWith(stamps: (signature: Buffer) => Buffer[], promised = false): unknown {
  const bundle = sigstore.bundle({ notBeforeMs: nowMs - 400 * DAY, notAfterMs: nowMs + DAY });
  const [entry] = bundle.verificationMaterial.tlogEntries;
  if (!promised) Object.assign(entry!, { inclusionPromise: undefined, integratedTime: undefined });
  const signature = Buffer.from(bundle.dsseEnvelope.signatures[0]!.sig, 'base64');
  const rfc3161Timestamps = stamps(signature).map((reply) => ({ signedTimestamp: reply.toString('base64') }));
  return JSON.parse(
    JSON.stringify({
      ...bundle,
      verificationMaterial: {
        ...bundle.verificationMaterial,
        timestampVerificationData: { rfc3161Timestamps },
      },
    }),
  );
}

async function verify(bundle: unknown, min = 1, authority = good): Promise<EvidenceRecord> {
  const folder = tempFolder();
  const { timestampAuthorities } = JSON.parse(authority.root);
  writeFileSync(
    join(folder, 'root.json'),
    JSON.stringify({ ...sigstore.trustedRoot(), timestampAuthorities }),
  );
  const policy = {
    version: 1,
    trust: { root: 'root.json' },
    authorities: [{ id: 'ci', keyless: IDENTITY, timestamps: { min } }],
  };
  return verifyAs(new Trust(await parsePolicy(JSON.stringify(policy), 'test', folder)), bundle);
}

const timeCheck = (record: EvidenceRecord): string =>
  record.envelopes[0]!.checks.find(({ name }) => name === 'time')!.detail;

describe('the time of a reply', () => {
  it.each<[string, string]>([
    ['20260601100000Z', '2026-06-01T10:00:00.000Z'],
    ['20260601100000.1Z', '2026-06-01T10:00:00.100Z'],
    ['20260601100000.12Z', '2026-06-01T10:00:00.120Z'],
    ['20260601100000.669Z', '2026-06-01T10:00:00.669Z'],
    ['20260601100000.0005Z', '2026-06-01T10:00:00.000Z'],
    ['20260601100000.12345Z', '2026-06-01T10:00:00.123Z'],
    ['20260601100000.999999Z', '2026-06-01T10:00:00.999Z'],
    ['20260601100000.500Z', '2026-06-01T10:00:00.500Z'],
    [`20260601100000.${'7'.repeat(40)}Z`, '2026-06-01T10:00:00.777Z'],
    ['20240229235959.9Z', '2024-02-29T23:59:59.900Z'],
  ])('%s is %s', (text, iso) => {
    expect(new Date(parseGenTime(text)).toISOString()).toBe(iso);
  });

  it.each([
    '20260601100000',
    '20260601100000.Z',
    '20260601100000,5Z',
    '20260601100000.5+0100',
    '202606011000Z',
    '260601100000Z',
    '20260230100000Z',
    '20261301100000Z',
    '20260601240000Z',
    '20260601100060Z',
    '20260601100000.5Z ',
    '',
  ])('%s is none', (text) => {
    expect(() => parseGenTime(text)).toThrow(/is none/);
  });
});

describe('an authority', () => {
  it.each<[string, Parameters<typeof makeAuthority>[0]]>([
    ['P-256, SHA-256, six digits', { digits: 6 }],
    ['P-384, SHA-384, three digits', { key: 'EC:P-384', digest: 'sha384', digits: 3 }],
    ['P-521, SHA-512, one digit', { key: 'EC:P-521', digest: 'sha512', digits: 1 }],
    ['RSA, SHA-256, two digits', { key: 'RSA', digits: 2 }],
    ['RSA, SHA-384, five digits', { key: 'RSA', digest: 'sha384', digits: 5 }],
    ['RSA, SHA-512, four digits', { key: 'RSA', digest: 'sha512', digits: 4 }],
    ['issued by a name of two parts', { issuer: '/O=me/CN=root' }],
    ['issued by a name of five parts', { issuer: '/C=DE/ST=X/O=me/OU=us/CN=root', digits: 6 }],
    ['issued by a name in other letters', { issuer: '/O=Größe/CN=根' }],
  ])('%s', async (_name, options) => {
    const authority = makeAuthority(options);
    const record = await verify(
      bundleWith((signature) => [authority.stamp(signature)]),
      1,
      authority,
    );
    expect(record.message).toBe('');
    const reply = new Timestamp(authority.stamp('data', { hash: 'sha512' }));
    reply.checkSignature(reply.ownKey);
    expect(reply.isOf(Buffer.from('data'))).toBe(true);
    expect(reply.isOf(Buffer.from('date'))).toBe(false);
    for (const part of options?.issuer?.split(/\/[A-Z]+=/).slice(1) ?? [])
      expect(reply.authority).toContain(part);
  });
});

describe('a stranger’s timestamp', () => {
  it('beside a good one counts for nothing, and the record says so', async () => {
    for (const [first, second] of [
      [good, stranger],
      [stranger, good],
    ] as [TimestampAuthority, TimestampAuthority][]) {
      const bundle = bundleWith((signature) => [first.stamp(signature), second.stamp(signature)]);
      const record = await verify(bundle);
      expect(record.verdict).toBe('verified');
      expect(record.envelopes[0]!.timestamps).toHaveLength(1);
      expect(timeCheck(record)).toMatch(/not counted: a timestamp by certificate 07 of Strange, Stranger/);
      expect((await verify(bundle, 2)).code).toBe('time_missing');
    }
  });

  it('beside a log’s promise counts for nothing', async () => {
    const bundle = bundleWith((signature) => [stranger.stamp(signature)], true);
    expect((await verify(bundle)).verdict).toBe('verified');
    expect((await verify(bundle, 2)).code).toBe('time_missing');
  });

  it('of SHA-1, or of something else, takes nothing away either', async () => {
    for (const other of [
      (signature: Buffer) => stranger.stamp(signature, { hash: 'sha1' }),
      () => stranger.stamp('something else'),
    ])
      expect(
        (await verify(bundleWith((signature) => [good.stamp(signature), other(signature)]))).verdict,
      ).toBe('verified');
  });

  it('alone is refused by the name it gives', async () => {
    const record = await verify(bundleWith((signature) => [stranger.stamp(signature)]));
    expect(record.code).toBe('time_invalid');
    expect(record.message).toMatch(
      /no authority of .* made the timestamp: it is by certificate 07 of Strange/,
    );
  });

  it('under the name and number of one that is trusted is refused', async () => {
    const namesake = makeAuthority();
    const record = await verify(
      bundleWith((signature) => [good.stamp(signature), namesake.stamp(signature)]),
    );
    expect(record.code).toBe('time_invalid');
    expect(record.message).toContain('not made with the key of the certificate it names');
  });
});

describe('a timestamp of a trusted authority', () => {
  const flipped = (reply: Buffer, at: number): Buffer => {
    const copy = Buffer.from(reply);
    copy[at]! ^= 1;
    return copy;
  };
  it.each<[string, string, (signature: Buffer) => Buffer[], RegExp]>([
    ['time_invalid', 'over another signature', () => [good.stamp('x')], /it is of something else/],
    [
      'time_invalid',
      'of a SHA-1 digest',
      (signature) => [good.stamp(signature, { hash: 'sha1' })],
      /imprint’s hash is SHA-1/,
    ],
    [
      'time_invalid',
      'whose signature was changed',
      (signature) => [good.stamp(signature)].map((reply) => flipped(reply, reply.length - 1)),
      /not made with the key/,
    ],
    [
      'time_invalid',
      'whose time was changed',
      (signature) =>
        [good.stamp(signature)].map((reply) =>
          flipped(reply, reply.indexOf(`${new Date().getFullYear()}`) + 3),
        ),
      /its time was changed after it was signed/,
    ],
    [
      'time_invalid',
      'twice',
      (signature) => [good.stamp(signature)].flatMap((reply) => [reply, reply]),
      /duplicate timestamp/,
    ],
    [
      'time_invalid',
      'over another signature, beside a good one',
      (signature) => [good.stamp(signature), good.stamp('x')],
      /it is of something else/,
    ],
    ['time_invalid', 'that is none', () => [Buffer.from('hello')], /no RFC 3161 reply/],
    [
      'time_invalid',
      'that is none, beside a good one',
      (s) => [good.stamp(s), Buffer.from('0')],
      /timestamp 2/,
    ],
  ])('%s: %s', async (code, _name, stamps, message) => {
    const record = await verify(bundleWith(stamps));
    expect(record.code).toBe(code);
    expect(record.message).toMatch(message);
  });

  it('time_outside: before the root trusted it', async () => {
    const later = makeAuthority({ startsAt: '2090-01-01T00:00:00Z' });
    const record = await verify(
      bundleWith((signature) => [later.stamp(signature)]),
      1,
      later,
    );
    expect(record).toMatchObject({
      code: 'time_outside',
      message: expect.stringContaining('did not trust that authority'),
    });
  });
});
