/** Certificates: each extension read once and strictly, and those without an issuer only where a policy says so. */
import { describe, expect, it } from 'vitest';

import { IDENTITY, type LeafOptions } from '../../support/sigstore.ts';
import { type Says, SHARED, verifyBuild } from '../../support/source.ts';

describe('certificates that no policy can rely on', () => {
  const utf8 = (...bytes: number[]): Buffer => Buffer.from(bytes);
  it.each<[string, LeafOptions]>([
    [
      'one extension twice',
      {
        says: [
          [12, 'https://github.com/acme/app'],
          [12, 'https://github.com/mallory/app'],
        ],
      },
    ],
    [
      'one extension twice, saying the same',
      {
        says: [
          [20, 'push'],
          [20, 'push'],
        ],
      },
    ],
    ['the issuer twice', { says: [[8, IDENTITY.issuer]] }],
    ['two identities', { names: ['https://github.com/mallory/x'] }],
    ['an older issuer that is another', { says: [[1, 'https://issuer.invalid']] }],
    [
      'repositories that differ',
      {
        says: [
          [5, 'mallory/app'],
          [12, 'https://github.com/acme/app'],
        ],
      },
    ],
    [
      'a repository that only ends alike',
      {
        says: [
          [5, 'e/app'],
          [12, 'https://github.com/acme/app'],
        ],
      },
    ],
    [
      'refs that differ',
      {
        says: [
          [6, 'refs/heads/x'],
          [14, 'refs/heads/main'],
        ],
      },
    ],
    [
      'commits that differ',
      {
        says: [
          [3, 'aa'],
          [13, 'bb'],
        ],
      },
    ],
    [
      'triggers that differ',
      {
        says: [
          [2, 'push'],
          [20, 'schedule'],
        ],
      },
    ],
    ['no DER', { says: [[12, Buffer.from('https://github.com/acme/app')]] }],
    ['another kind of text', { says: [[12, utf8(0x13, 1, 0x61)]] }],
    ['a length too long', { says: [[12, utf8(0x0c, 2, 0x61)]] }],
    ['bytes after the text', { says: [[12, utf8(0x0c, 1, 0x61, 0x62)]] }],
    ['a length that is not the shortest', { says: [[12, utf8(0x0c, 0x81, 1, 0x61)]] }],
    ['a length without end', { says: [[12, utf8(0x0c, 0x80, 0x61, 0, 0)]] }],
    ['a length of eight bytes', { says: [[12, utf8(0x0c, 0x88, 0, 0, 0, 0, 0, 0, 0, 1, 0x61)]] }],
    ['nothing at all', { says: [[12, Buffer.alloc(0)]] }],
    ['no UTF-8', { says: [[12, utf8(0x0c, 1, 0xff)]] }],
    ['a raw text that is no UTF-8', { says: [[5, utf8(0xc3)]] }],
    ['a NUL', { says: [[12, 'https://github.com/acme\u0000/app']] }],
    ['a text of 10,000 bytes', { says: [[12, 'x'.repeat(10_000)]] }],
    ['an issuer in other letters', { issuer: 'https://tоken.actions.githubusercontent.com' }],
  ])('identity_certificate: %s', async (_name, leaf) => {
    const everything = { issuerRegExp: '[^]*', subject: '**' };
    expect((await verifyBuild(everything, leaf)).code).toBe('identity_certificate');
  });

  it('long texts and the forms of both ages are read', async () => {
    const name = `https://github.com/acme/${'a'.repeat(300)}`;
    const says: Says = [
      [1, IDENTITY.issuer],
      [2, 'push'],
      [3, 'aa'],
      [5, `acme/${'a'.repeat(300)}`],
      [6, 'refs/heads/main'],
      [12, name],
      [13, 'aa'],
      [14, 'refs/heads/main'],
      [20, 'push'],
      [23, 'production'],
      [99, Buffer.from('of a later age')],
    ];
    const record = await verifyBuild({ ...SHARED, sourceRepositoryURI: name }, { says });
    expect(record.envelopes[0]!.signers[0]!.certificate).toMatchObject({
      deploymentEnvironment: 'production',
    });
  });
});

describe('certificates without an issuer', () => {
  const immutable = { subject: 'https://dotcom.releases.github.com', issuer: null };
  it.each<[string | null, string, object, LeafOptions]>([
    [null, 'where the policy says so', { noIssuer: true, subject: immutable.subject }, immutable],
    [
      'identity_issuer',
      'where it names one',
      { issuer: IDENTITY.issuer, subject: immutable.subject },
      immutable,
    ],
    ['identity_issuer', 'where it takes any', { issuerRegExp: '.*', subject: '**' }, immutable],
    ['identity_issuer', 'an issuer where none is wanted', { noIssuer: true, subject: '**' }, { says: [] }],
    ['identity_mismatch', 'another subject', { noIssuer: true, subject: 'https://x.invalid' }, immutable],
  ])('%s: %s', async (code, _name, keyless, leaf) => {
    const record = await verifyBuild(keyless, leaf);
    expect(record.code, record.message).toBe(code);
    if (leaf.issuer === null && code === 'identity_issuer') {
      expect(record.message).toContain('its certificate names no issuer');
      expect(record.next).toContain('noIssuer: true');
    }
  });
});
