/** Files, lists and documents of evidence are one pile: what counts is there or not, and what lies beside it is named. */
import { describe, expect, it } from 'vitest';

import type { EvidenceRecord } from '../../src/evidence/documents/record.ts';
import { envelope, makeKey, statement } from '../support/keys.ts';
import { TestLog } from '../support/log.ts';
import { trustOf, verifyAs } from '../support/verify.ts';

const key = makeKey();
const trust = await trustOf([key]);
const good = envelope([key]);
const elsewhere = envelope([key], statement({ subject: [{ digest: { sha256: 'b2'.repeat(32) } }] }));
const stranger = envelope([makeKey()]);
const newer = { mediaType: 'application/vnd.dev.sigstore.bundle.v0.9+json', verificationMaterial: {} };
const lines = (...items: unknown[]): string =>
  items.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))).join('\n');
const file = (name: string, content: unknown): { name: string; bytes: Buffer } => ({
  name,
  bytes: Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)),
});
const codes = ({ envelopes }: EvidenceRecord): (string | null)[] => envelopes.map(({ code }) => code);

describe('one item that is no good', () => {
  it.each<[string, unknown]>([
    ['evidence_newer', newer],
    ['evidence_newer', { ...newer, mediaType: 'application/vnd.dev.sigstore.bundle+json;version=1.0' }],
    ['evidence_unreadable', { ...newer, mediaType: 'application/vnd.dev.sigstore.bundle.v0.0+json' }],
    ['evidence_unreadable', '{"payloadType": "application/vnd.in-t'],
    ['evidence_unreadable', '{"payloadType":"a","payloadType":"b"}'],
    ['evidence_unreadable', { hello: 'world' }],
    ['evidence_malformed', { ...good, payload: '!' }],
    ['signature_missing', { ...good, signatures: [] }],
    ['signature_invalid', stranger],
    ['subject_missing', elsewhere],
  ])('%s: spoils nothing, in a list, in lines or in a file of its own', async (code, bad) => {
    const asLines = await verifyAs(trust, lines(bad, good));
    const asFiles = await verifyAs(trust, bad, { more: [file('good.json', good)] });
    const reversed = await verifyAs(trust, good, { more: [file('bad.json', bad)] });
    expect([asLines, asFiles, reversed].map(({ verdict }) => verdict)).toEqual(Array(3).fill('verified'));
    expect([codes(asLines), codes(asFiles), codes(reversed)]).toEqual([
      [code, null],
      [code, null],
      [null, code],
    ]);
    if (typeof bad !== 'string') {
      const asArray = await verifyAs(trust, [good, bad]);
      expect([asArray.verdict, codes(asArray)]).toEqual(['verified', [null, code]]);
    }
    // Alone it is refused, and with others that are no good, too.
    expect((await verifyAs(trust, bad)).code).toBe(code);
    expect((await verifyAs(trust, lines(bad, elsewhere))).verdict).toBe('rejected');
  });

  it('is named by its line in the file, blank lines counted', async () => {
    const { envelopes } = await verifyAs(trust, lines('', newer, '', good, ''));
    expect(envelopes.map(({ file: name, verdict }) => [name, verdict])).toEqual([
      ['e.json line 2', 'rejected'],
      ['e.json line 4', 'accepted'],
    ]);
  });

  it('stands for all where nothing counts, by the item that came nearest', async () => {
    const { code, message, next } = await verifyAs(trust, lines(elsewhere, newer, stranger));
    expect([code, message]).toEqual(['signature_invalid', expect.stringMatching(/^e\.json line 3: /)]);
    expect(next).toBeTruthy();
  });

  it('does not count for a threshold', async () => {
    const [a, b] = [makeKey(), makeKey()];
    const two = await trustOf([a, b], { require: [{ threshold: { min: 2 } }] });
    expect((await verifyAs(two, lines(envelope([a]), envelope([a]), newer))).verdict).toBe('rejected');
    expect((await verifyAs(two, lines(envelope([a]), newer, envelope([b])))).verdict).toBe('verified');
  });

  it('a broken document that is not JSON Lines is refused as one', async () => {
    const pretty = JSON.stringify(good, null, 2);
    expect((await verifyAs(trust, pretty)).verdict).toBe('verified');
    expect(codes(await verifyAs(trust, pretty.slice(0, -2)))).toEqual(['evidence_unreadable']);
  });

  it('no more items than the limit, however they are listed', async () => {
    const many = Array.from({ length: 1025 }, () => good);
    for (const content of [lines(...many), many, { attestations: many.map((bundle) => ({ bundle })) }])
      expect(await verifyAs(trust, content)).toMatchObject({ code: 'evidence_unreadable' });
  });
});

it('a proof that was named and proves nothing is refused, though the requirement is met', async () => {
  const proof = new TestLog().grow(3).tlogProof(1);
  expect((await verifyAs(trust, good, { more: [file('a.tlog-proof', proof)] })).verdict).toBe('rejected');
});

describe('documents as registries answer', () => {
  const statementOf = 'https://example.org/any/v1';
  it.each<[string, unknown]>([
    ['npm', { attestations: [{ predicateType: statementOf, bundle: good }] }],
    ['npm, with others', { attestations: [{ predicateType: 'x', bundle: stranger }, { bundle: good }] }],
    ['GitHub', { attestations: [{ bundle: good, repository_id: 1, bundle_url: 'https://x.invalid' }] }],
    [
      'GitHub, by digest',
      { attestations_subject_digests: { 'sha256:a1': [{ bundle: good }] }, page_info: {} },
    ],
    ['gh attestation verify', [{ attestation: { bundle: good, bundle_url: '' }, verificationResult: {} }]],
  ])('%s', async (_name, document) => {
    expect((await verifyAs(trust, document)).verdict).toBe('verified');
    expect((await verifyAs(trust, JSON.stringify(document, null, 2))).verdict).toBe('verified');
  });

  it.each<[string, string, unknown]>([
    [
      'evidence_unreadable',
      'only an address',
      { attestations: [{ bundle: null, bundle_url: 'https://x.invalid' }] },
    ],
    ['evidence_unreadable', 'no items', { attestations: [] }],
    ['evidence_unreadable', 'items that are none', { attestations: ['x', 1] }],
    ['signature_invalid', 'a wrapper inside an envelope', { ...stranger, bundle: good }],
    ['evidence_unreadable', 'a wrapper in a wrapper', { bundle: { bundle: { bundle: good } } }],
    ['signature_invalid', 'a stranger’s bundle', { attestations: [{ bundle: stranger }] }],
  ])('%s: %s', async (code, _name, document) => {
    expect(await verifyAs(trust, document)).toMatchObject({ verdict: 'rejected', code });
  });

  it('believe no predicate type that stands beside the bundle', async () => {
    const wants = await trustOf([key], { require: [{ predicateType: 'https://slsa.dev/provenance/v1' }] });
    const document = {
      attestations: [{ predicateType: 'https://slsa.dev/provenance/v1', bundle: good }],
    };
    expect((await verifyAs(wants, document)).code).toBe('predicate_type');
  });
});

describe('what is no evidence is named', () => {
  it.each<[RegExp, Buffer | object]>([
    [/compressed with gzip/, Buffer.from([0x1f, 0x8b, 8, 0])],
    [/compressed with zstd/, Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 4])],
    [/compressed with xz/, Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0])],
    [/compressed with bzip2/, Buffer.from('BZh9')],
    [/compressed with snappy/, Buffer.from([0xff, 6, 0, 0, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59])],
    [/a ZIP archive/, Buffer.from('PK\u0003\u0004')],
    [/a tar archive/, Buffer.concat([Buffer.alloc(257), Buffer.from('ustar')])],
    [/a public key/, Buffer.from('-----BEGIN PUBLIC KEY-----\n')],
    [/a PEM file/, Buffer.from('-----BEGIN CERTIFICATE-----\n')],
    [/cosign’s old bundle/, { base64Signature: '', cert: '', rekorBundle: {} }],
    [/PyPI/, { version: 1, attestation_bundles: [] }],
    [/PyPI/, { version: 1, verification_material: {}, envelope: {} }],
    [/link format/, { signed: {}, signatures: [] }],
    [/without a signature/, statement()],
    [/a replay manifest/, { harness_version: '1', run_instructions: 'true' }],
    [/an image manifest/, { schemaVersion: 2, mediaType: 'application/x', layers: [] }],
    [/a policy/, { version: 1, authorities: [] }],
    [/a trusted root/, { mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1' }],
    [/which is no Sigstore bundle/, { mediaType: 'text/plain' }],
  ])('%s', async (message, content) => {
    const record = await verifyAs(trust, content);
    expect(record).toMatchObject({ verdict: 'rejected', code: 'evidence_unreadable' });
    expect(record.message).toMatch(message);
    expect(record.next).toBeTruthy();
  });
});
