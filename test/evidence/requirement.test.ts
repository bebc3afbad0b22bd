import { describe, expect, it } from 'vitest';

import { envelope, makeKey, statement, type TestKey } from '../support/keys.ts';
import { trustOf, verifyAs } from '../support/verify.ts';

const key = makeKey();
const _other = makeKey();
const trust = await trustOf([key]);
const _code = async (content: unknown, o = {}): Promise<string | null> =>
  (await verifyAs(trust, content, o)).code;

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

  it('identity_threshold: two signers for one authority, and none for the other', async () => {
    const [a, b, c] = keys as [TestKey, TestKey, TestKey];
    const trust = await requiring([{ threshold: { of: ['k0', 'k1'], min: 2 } }], [a, b, c]);
    // The same authority twice over, as a pattern of identities would be.
    trust.authorities[1]!.key = trust.authorities[2]!.key;
    trust.authorities[2]!.id = 'k0';
    expect((await verifyAs(trust, envelope([a]))).code).toBe('identity_threshold');
    expect((await verifyAs(trust, envelope([a, c]))).code).toBeNull();
  });

  it('signature_algorithm: a signature by the key, with another algorithm than is pinned', async () => {
    const pss = makeKey('rsa-pss-sha256');
    const signed = envelope([{ ...pss, algorithm: 'rsa-pkcs1-sha256' }]);
    const record = await verifyAs(await trustOf([pss]), signed);
    expect(record.code).toBe('signature_algorithm');
    expect(record.message).toContain('rsa-pkcs1-sha256, and rsa-pss-sha256 is what counts');
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
  const versions = { predicateType: ['https://spdx.dev/Document', 'https://cyclonedx.org/bom/v*'] };
  const bom = (predicateType: string): object =>
    statement({ predicateType, predicate: { bomFormat: 'CycloneDX' } });
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
      'predicate_builder',
      'a trusted builder in a statement that is no provenance',
      slsa,
      statement({ predicate: { builder: { id: 'urn:good' }, runDetails: { builder: { id: 'urn:good' } } } }),
    ],
    [null, 'an empty builder id, as BuildKit writes it, where none is demanded', {}, provenance('')],
    ['predicate_builder', 'an empty builder id', slsa, provenance('')],
    [
      'predicate_builder',
      'an empty builder id, which every pattern would fit',
      { slsa: { level: 1, builders: { '**': 3 } } },
      provenance(''),
    ],
    [
      'predicate_malformed',
      'a builder id that is no text',
      {},
      statement({
        predicateType: 'https://slsa.dev/provenance/v1',
        predicate: { buildDefinition: { buildType: 'urn:b' }, runDetails: { builder: { id: 7 } } },
      }),
    ],
    [
      null,
      'an empty builder id in provenance v0.2',
      {},
      statement({
        predicateType: 'https://slsa.dev/provenance/v0.2',
        predicate: { builder: { id: '' }, buildType: 'https://mobyproject.org/buildkit@v1' },
      }),
    ],
    [null, 'a type named like a member of every object', {}, statement({ predicateType: 'constructor' })],
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
    [
      'predicate_type',
      'a version of the type required',
      { predicateType: 'https://cyclonedx.org/bom' },
      bom('https://cyclonedx.org/bom/v1.4'),
    ],
    [null, 'any version, where the policy says so', versions, bom('https://cyclonedx.org/bom/v1.4')],
    ['predicate_type', 'the type without a version', versions, bom('https://cyclonedx.org/bom')],
    ['predicate_type', 'a version of another', versions, bom('https://cyclonedx.org/bomx/v1.4')],
    ['predicate_type', 'something behind the version', versions, bom('https://cyclonedx.org/bom/v1/x')],
    [
      'predicate_malformed',
      'a version of an SBOM that is none',
      versions,
      statement({ predicateType: 'https://cyclonedx.org/bom/v1.4', predicate: {} }),
    ],
  ])('%s: %s', async (expected, _name, requirement, payload) => {
    const one = await requiring([requirement], [key]);
    expect((await verifyAs(one, envelope([key], payload))).code).toBe(expected);
  });
});
