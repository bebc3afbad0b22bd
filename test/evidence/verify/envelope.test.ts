import { describe, expect, it } from 'vitest';

import { canonicalJson } from '../../../src/base/canonical-json.ts';
import { wantDigest } from '../../../src/evidence/documents/subject.ts';
import { envelope, makeKey, SUBJECT, statement } from '../../support/keys.ts';
import { trustOf, verifyAs } from '../../support/verify.ts';

const key = makeKey();
const other = makeKey();
const trust = await trustOf([key]);
const code = async (content: unknown, o = {}): Promise<string | null> =>
  (await verifyAs(trust, content, o)).code;

describe('envelopes', () => {
  const json = envelope([key]);
  const base64url = (text: string): string => text.replaceAll('+', '-').replaceAll('/', '_');

  it('takes base64url, with and without padding', async () => {
    for (const change of [base64url, (text: string) => base64url(text).replaceAll('=', '')])
      expect(
        await code({
          ...json,
          payload: change(json.payload),
          signatures: [{ sig: change(json.signatures[0]!.sig) }],
        }),
      ).toBeNull();
  });

  it('is not impressed by key ids', async () => {
    for (const keyid of ['__proto__', 'constructor', 'k0', '', 'x'.repeat(4096)])
      expect(await code({ ...json, signatures: [{ ...json.signatures[0]!, keyid }] })).toBeNull();
  });

  it('does not mind the order of signatures, nor those of strangers', async () => {
    for (const keys of [
      [key, other],
      [other, key],
    ])
      expect(await code(envelope(keys))).toBeNull();
  });

  it.each<[string, string, unknown]>([
    ['signature_invalid', 'another payload type', { ...json, payloadType: 'application/vnd.in-toto+json2' }],
    [
      'signature_invalid',
      'another payload',
      { ...json, payload: envelope([other], statement({ predicate: 1 })).payload },
    ],
    ['signature_invalid', 'a stranger’s signature alone', envelope([other])],
    ['signature_missing', 'no signatures', { ...json, signatures: [] }],
    [
      'signature_duplicate',
      'the same signature twice',
      { ...json, signatures: [json.signatures[0], json.signatures[0]] },
    ],
    ['evidence_malformed', 'mixed alphabets', { ...json, payload: `${json.payload.slice(0, -4)}-_+/` }],
    ['evidence_malformed', 'base64 with white space', { ...json, payload: `${json.payload}\n` }],
    ['evidence_malformed', 'base64 with data after its end', { ...json, payload: `${json.payload}=` }],
    ['evidence_unreadable', 'duplicate keys', `${JSON.stringify(json).slice(0, -1)},"payloadType":"x"}`],
    ['evidence_unreadable', 'a byte-order mark', `\ufeff${JSON.stringify(json)}`],
    [
      'evidence_unreadable',
      'invalid UTF-8',
      Buffer.concat([Buffer.from('{"payloadType":"'), Buffer.from([0xff]), Buffer.from('"}')]),
    ],
    ['evidence_unreadable', 'deep nesting', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
    ['evidence_unreadable', 'nothing', ''],
    ['evidence_unreadable', 'an empty list', '[]'],
    ['evidence_unreadable', 'something else', '{"hello":"world"}'],
    ['evidence_too_large', 'a file of 100 MB', Buffer.alloc(100 << 20, ' ')],
  ])('%s: %s', async (expected, _name, content) => {
    expect(await code(content)).toBe(expected);
  });

  it.each<[string, object]>([
    ['beside the payload', { ...json, x: 1, comment: { deep: [[]] } }],
    [
      'beside the signature',
      { ...json, signatures: [{ ...json.signatures[0], cert: 'x', extension: null }] },
    ],
    ['of another form', { ...json, mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json' }],
    ['of a bundle', { ...json, verificationMaterial: { publicKey: { hint: 'x' } }, dsseEnvelope: {} }],
    ['of a registry’s answer', { ...json, attestations: [{ bundle: envelope([other]) }], bundle: {} }],
  ])('ignores members that it does not know: %s', async (_name, changed) => {
    expect(await code(changed)).toBeNull();
  });

  it.each<[string, string, unknown]>([
    [
      'signature_invalid',
      'a key of its own',
      { ...envelope([other]), publicKey: other.publicKey.export({ format: 'jwk' }), verified: true },
    ],
    [
      'signature_invalid',
      'a second payload that is signed',
      { ...envelope([other]), Payload: json.payload, payload2: json.payload },
    ],
    [
      'signature_invalid',
      'a second signature beside sig',
      { ...json, signatures: [{ ...envelope([other]).signatures[0], Sig: json.signatures[0]!.sig }] },
    ],
    ['evidence_malformed', 'no payload but one of another name', { ...json, payload: undefined, body: 'x' }],
    ['evidence_unreadable', 'an unknown member twice', `${JSON.stringify(json).slice(0, -1)},"x":1,"x":1}`],
    [
      'evidence_unreadable',
      'depth in an unknown member',
      `${JSON.stringify(json).slice(0, -1)},"x":${'['.repeat(100)}${']'.repeat(100)}}`,
    ],
  ])('%s: nothing is taken from members that it does not know: %s', async (expected, _name, content) => {
    expect(await code(content)).toBe(expected);
  });

  it('reads large strings, and soon gives up on millions of values', { timeout: 30_000 }, async () => {
    const large = statement({ predicate: { text: `\\"${'x'.repeat(9 << 20)}` } });
    expect(await code(envelope([key], large))).toBeNull();
    expect(await code(`[${'0,'.repeat(15_000_000)}0]`)).toBe('evidence_unreadable');
  });

  it('names nothing that an unknown signer said', async () => {
    const [record] = (
      await verifyAs(trust, envelope([key]), {
        reference: { origin: 'x', index: 0, size: 1, root: Buffer.alloc(32) },
      })
    ).envelopes;
    expect(record).toMatchObject({
      verdict: 'rejected',
      payload_sha256: null,
      predicate_type: null,
      subjects: [],
    });
  });

  it('names file, path and what was expected', async () => {
    const record = await verifyAs(trust, { ...json, signatures: [{ sig: 5 }] });
    expect(record.message).toBe('e.json: $.signatures[0].sig is not a base64 text');
  });

  it.each<[string, string, unknown]>([
    [
      'statement_not_in_toto',
      'another statement type',
      statement({ _type: 'https://in-toto.io/Statement/v9' }),
    ],
    ['statement_malformed', 'duplicate keys in the statement', Buffer.from('{"_type":"a","_type":"b"}')],
    ['statement_malformed', 'no predicate type', statement({ predicateType: undefined })],
    ['subject_malformed', 'no subjects', statement({ subject: [] })],
    ['subject_malformed', 'a name without a digest', statement({ subject: [{ name: 'thing', digest: {} }] })],
    [
      'subject_malformed',
      'upper-case hex',
      statement({ subject: [{ digest: { sha256: 'A1'.repeat(32) } }] }),
    ],
    ['subject_malformed', 'truncated hex', statement({ subject: [{ digest: { sha256: 'a1'.repeat(31) } }] })],
    [
      'subject_missing',
      'the digest under another algorithm',
      statement({ subject: [{ digest: { gitCommit: 'a1'.repeat(32) } }] }),
    ],
    [
      'subject_missing',
      'another digest',
      statement({ subject: [{ name: SUBJECT, digest: { sha256: 'b2'.repeat(32) } }] }),
    ],
  ])('%s: %s', async (expected, _name, payload) => {
    expect(await code(envelope([key], payload))).toBe(expected);
  });

  it('takes both types of statement there are', async () => {
    expect(await code(envelope([key], statement({ _type: 'https://in-toto.io/Statement/v0.1' })))).toBeNull();
  });

  it('wants all of two subjects', async () => {
    const subjects = [
      wantDigest('one', SUBJECT),
      { field: 'two', algorithm: 'sha256', anyOf: ['b2'.repeat(32)] },
    ];
    expect(await code(json, { wanted: { kind: 'listed', subjects } })).toBe('subject_missing');
  });

  it('says so where nothing was compared', async () => {
    const record = await verifyAs(trust, json, { wanted: { kind: 'any' } });
    expect(record).toMatchObject({ verdict: 'verified', subjects_compared: false });
  });

  it('takes lists, as JSON and as lines, and names the item that is wrong', async () => {
    expect(await code([json, envelope([key], statement({ predicate: 2 }))])).toBeNull();
    expect(await code(`${JSON.stringify(json)}\n${JSON.stringify(json)}\n`)).toBeNull();
    const broken = await verifyAs(trust, `{"a":}\n\n${JSON.stringify(envelope([other]))}\n`);
    expect(broken.envelopes.map(({ file, code }) => [file, code])).toEqual([
      ['e.json line 1', 'evidence_unreadable'],
      ['e.json line 3', 'signature_invalid'],
    ]);
  });
});

it('writes records that are canonical JSON, and of their schema', async () => {
  const record = await verifyAs(trust, envelope([key]));
  expect(JSON.parse(canonicalJson(record))).toEqual(record);
});
