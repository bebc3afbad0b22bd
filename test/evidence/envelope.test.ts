/** Plain envelopes and a team's own keys: every algorithm and form, and every way to be refused. */
import { createPublicKey } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { canonicalJson } from '../../src/base/canonical-json.ts';
import { expectedBodies } from '../../src/evidence/body.ts';
import { matchSignatures, parseEnvelope, preAuthEncoding } from '../../src/evidence/dsse.ts';
import { ALGORITHMS, type Algorithm, parsePublicKey } from '../../src/evidence/keys.ts';
import { readFolderProof } from '../../src/evidence/log-cache.ts';
import { parseLogReference } from '../../src/evidence/reference.ts';
import { Refusal } from '../../src/evidence/refusal.ts';
import { parseStatement } from '../../src/evidence/statement.ts';
import { wantDigest } from '../../src/evidence/subject.ts';
import {
  type EnvelopeJson,
  envelope,
  makeKey,
  SUBJECT,
  signWith,
  statement,
  type TestKey,
  trustOf,
  verifyAs,
} from '../support/keys.ts';
import { TestLog } from '../support/log.ts';
import { tempFolder } from '../support/world.ts';

const key = makeKey();
const other = makeKey();
const trust = await trustOf([key]);
const code = async (content: unknown, o = {}): Promise<string | null> =>
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
      json.signatures[0]!.sig = signWith(own, signed, true).toString('base64');
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
    ['evidence_malformed', 'an unknown field', { ...json, x: 1 }],
    [
      'evidence_malformed',
      'a certificate beside the signature',
      { ...json, signatures: [{ ...json.signatures[0], cert: 'x' }] },
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
    expect((await verifyAs(trust, `${JSON.stringify(json)}\n{"a":}\n`)).message).toContain('line 2');
  });
});

describe('what a policy requires', () => {
  const keys = [makeKey(), makeKey(), makeKey()];
  const requiring = (require: object[], authorities?: TestKey[]): ReturnType<typeof trustOf> =>
    trustOf(authorities ?? keys, { require: require.map((one) => ({ subjects: ['manifest'], ...one })) });

  it.each<[string | null, string, TestKey[]]>([
    [null, 'two of three', [keys[0]!, keys[2]!]],
    ['identity_threshold', 'one of three', [keys[0]!]],
    ['identity_threshold', 'one who signed twice', [keys[0]!, keys[0]!]],
  ])('%s: %s', async (expected, _name, signers) => {
    const two = await requiring([{ threshold: { min: 2 } }]);
    const files = signers.map((signer, i) => ({
      name: `${i}.json`,
      bytes: Buffer.from(JSON.stringify(envelope([signer], statement({ predicate: i })))),
    }));
    const [first, ...more] = files;
    expect((await verifyAs(two, first!.bytes, { more })).code).toBe(expected);
  });

  it('identity_threshold: one key under two ids', async () => {
    const two = await requiring([{ threshold: { min: 2 } }], [keys[0]!, keys[0]!]);
    expect((await verifyAs(two, envelope([keys[0]!]))).code).toBe('identity_threshold');
  });

  it('identity_threshold: signed by somebody who may sign, but not this', async () => {
    const one = await requiring([{ threshold: { of: ['k1'] } }]);
    expect((await verifyAs(one, envelope([keys[0]!]))).code).toBe('identity_threshold');
  });

  const provenance = (builder: string): object =>
    statement({
      predicateType: 'https://slsa.dev/provenance/v1',
      predicate: { buildDefinition: { buildType: 'urn:b' }, runDetails: { builder: { id: builder } } },
    });
  const slsa = { slsa: { level: 3, builders: { 'urn:good': 3, 'urn:weak': 1, 'urn:many@*': 3 } } };
  const test = (result: string): object =>
    statement({
      predicateType: 'https://in-toto.io/attestation/test-result/v0.1',
      predicate: { result, configuration: [] },
    });
  const sbom = { predicateType: ['https://spdx.dev/Document', 'https://cyclonedx.org/bom'] };
  it.each<[string | null, string, object, object]>([
    [null, 'the type required', { predicateType: 'https://example.org/any/v1' }, statement()],
    ['predicate_type', 'another type', { predicateType: 'https://slsa.dev/provenance/v1' }, statement()],
    [null, 'a value that fits', { match: { '/good': true } }, statement()],
    ['predicate_mismatch', 'a value that does not', { match: { '/good': false } }, statement()],
    ['predicate_mismatch', 'a value that is absent', { match: { '/a/b': null } }, statement()],
    ['predicate_mismatch', 'a value of the prototype', { match: { '/constructor': null } }, statement()],
    [null, 'a builder of the level', slsa, provenance('urn:good')],
    [null, 'a builder by its pattern', slsa, provenance('urn:many@v1')],
    ['predicate_builder', 'a builder of a lower level', slsa, provenance('urn:weak')],
    ['predicate_builder', 'a builder that is not listed', slsa, provenance('urn:other')],
    [
      'predicate_malformed',
      'provenance without a builder',
      {},
      statement({ predicateType: 'https://slsa.dev/provenance/v1' }),
    ],
    [null, 'a test that passed', {}, test('PASSED')],
    ['predicate_mismatch', 'a test that failed', {}, test('FAILED')],
    [null, 'a test that failed, as the policy wants', { match: { '/result': 'FAILED' } }, test('FAILED')],
    ['predicate_malformed', 'a test with another result', {}, test('GREAT')],
    [
      null,
      'an SBOM',
      sbom,
      statement({ predicateType: 'https://cyclonedx.org/bom', predicate: { bomFormat: 'CycloneDX' } }),
    ],
    [
      'predicate_malformed',
      'an SBOM that is none',
      sbom,
      statement({ predicateType: 'https://cyclonedx.org/bom', predicate: {} }),
    ],
  ])('%s: %s', async (expected, _name, requirement, payload) => {
    const one = await requiring([requirement], [key]);
    expect((await verifyAs(one, envelope([key], payload))).code).toBe(expected);
  });
});

describe('a plain envelope in a log', async () => {
  const log = new TestLog({ witnesses: 2 }).grow(300);
  const signer = makeKey('ecdsa-p256-sha256');
  const json = envelope([signer]);
  const bodyOf = (e: EnvelopeJson, by: TestKey): Buffer => {
    const payload = Buffer.from(e.payload, 'base64');
    const thing = {
      signature: Buffer.from(e.signatures[0]!.sig, 'base64'),
      signed: preAuthEncoding(e.payloadType, payload),
      payload,
      spki: by.publicKey.export({ type: 'spki', format: 'der' }),
      certificate: null,
    };
    return expectedBodies(thing, 'PKIX_ECDSA_P256_SHA_256')[0]!;
  };
  const index = log.append(bodyOf(json, signer));
  const foreign = log.append(bodyOf(envelope([other], statement({ predicate: 1 })), other));
  log.grow(300);
  const logs = (more: object = {}): object => ({ trust: { logs: [{ key: log.verifierKey, ...more }] } });
  const logged = await trustOf([signer], { ...logs({ witnesses: { keys: log.witnessKeys, min: 2 } }) });
  for (const authority of logged.authorities) authority.transparency = 'required';
  const proofFile = (text: string): object => ({
    more: [{ name: 'p.tlog-proof', bytes: Buffer.from(text) }],
  });
  const reference = { reference: parseLogReference(log.reference(index)) };

  it('is accepted with a proof, whether or not the proof has the entry', async () => {
    for (const body of [true, false]) {
      const record = await verifyAs(logged, json, proofFile(log.tlogProof(index, { body })));
      expect(record.code).toBeNull();
      expect(record.envelopes[0]!.log[0]).toMatchObject({
        tile_ref: log.reference(index),
        witnesses: ['witness0.example', 'witness1.example'],
      });
    }
  });

  it.each<[string, string, object]>([
    ['log_missing', 'no proof', {}],
    ['log_missing', 'a reference, and no proof of it', reference],
    ['log_body', 'the proof of somebody else’s entry', proofFile(log.tlogProof(foreign, { body: true }))],
    [
      'log_proof',
      'the proof of another index',
      proofFile(log.tlogProof(index).replace(/index \d+/, `index ${index + 1}`)),
    ],
    ['log_proof', 'the proof of a neighbour', proofFile(log.tlogProof(foreign))],
    [
      'log_reference',
      'a proof of another tree than is named',
      { ...proofFile(log.tlogProof(index, { size: 400 })), ...reference },
    ],
    ['log_key', 'a log that is not trusted', proofFile(new TestLog().grow(700).tlogProof(index))],
  ])('%s: %s', async (expected, _name, o) => {
    expect((await verifyAs(logged, json, o)).code).toBe(expected);
  });

  it('is proven from a folder of checkpoint and tiles, and from nothing less', async () => {
    const folder = tempFolder();
    log.writeFiles(folder);
    const proof = { name: folder, proof: await readFolderProof(folder, reference.reference), used: false };
    expect((await verifyAs(logged, json, { ...reference, proofs: [proof] })).code).toBeNull();
    writeFileSync(join(folder, 'tile/0/001'), Buffer.alloc(8192));
    const forged = { name: folder, proof: await readFolderProof(folder, reference.reference), used: false };
    expect((await verifyAs(logged, json, { ...reference, proofs: [forged] })).code).toBe('log_proof');
    await expect(readFolderProof(folder, parseLogReference(log.reference(index, 400)))).rejects.toMatchObject(
      { code: 'log_reference' },
    );
  });

  it('does not follow links out of a log’s folder', async () => {
    const [folder, elsewhere] = [tempFolder(), tempFolder()];
    log.writeFiles(elsewhere);
    mkdirSync(join(folder, 'tile/0'), { recursive: true });
    writeFileSync(join(folder, 'checkpoint'), log.checkpoint());
    symlinkSync(join(elsewhere, 'tile/0/001'), join(folder, 'tile/0/001'));
    await expect(readFolderProof(folder, reference.reference)).rejects.toBeInstanceOf(Refusal);
  });

  it('log_witness: too few witnesses', async () => {
    const three = await trustOf(
      [signer],
      logs({
        witnesses: { keys: [...log.witnessKeys, ...new TestLog({ witnesses: 1 }).witnessKeys], min: 3 },
      }),
    );
    expect((await verifyAs(three, json, proofFile(log.tlogProof(index)))).code).toBe('log_witness');
  });

  it('log_key: a log whose key was not valid', async () => {
    const ended = await trustOf([signer], logs({ notAfter: '2026-01-01T00:00:00Z' }));
    expect((await verifyAs(ended, json, proofFile(log.tlogProof(index)))).code).toBe('log_key');
  });

  it('log_body: a proof that proves nothing is not passed over', async () => {
    const lax = await trustOf([signer, other], logs());
    const both = [json, envelope([other], statement({ predicate: 9 }))];
    expect((await verifyAs(lax, both, proofFile(new TestLog().grow(9).tlogProof(1)))).verdict).toBe(
      'rejected',
    );
  });
});

it('writes records that are canonical JSON, and of their schema', async () => {
  const record = await verifyAs(trust, envelope([key]));
  expect(JSON.parse(canonicalJson(record))).toEqual(record);
});
