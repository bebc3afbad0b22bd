/** Whose source was built: a workflow that others may call has one identity for all of them, and the rest is in extensions. */
import { describe, expect, it } from 'vitest';

import { FIELD_NAMES } from '../../src/policy/certificate-fields.ts';
import { evidenceReport } from '../../src/report/evidence.ts';
import { explainPolicy } from '../../src/report/policy.ts';
import { IDENTITY, type LeafOptions } from '../support/sigstore.ts';
import { builtFrom, type Says, SHARED, trustIn, verifyBuild } from '../support/source.ts';

const ACME = builtFrom('acme', '1');
const MALLORY = builtFrom('mallory', '2');

describe('what a policy says of the source', () => {
  it.each<[string | null, string, object, LeafOptions]>([
    [null, 'the repository', { sourceRepositoryURI: 'https://github.com/acme/app' }, { says: ACME }],
    [
      'identity_build',
      'another repository',
      { sourceRepositoryURI: 'https://github.com/acme/app' },
      { says: MALLORY },
    ],
    [null, 'any of the owner', { sourceRepositoryURI: 'https://github.com/acme/*' }, { says: ACME }],
    [
      'identity_build',
      'a longer name',
      { sourceRepositoryURI: 'https://github.com/acme/app' },
      { says: [[12, 'https://github.com/acme/app-evil']] },
    ],
    ['identity_build', 'a part of it', { sourceRepositoryURI: 'acme/app' }, { says: ACME }],
    [
      'identity_build',
      'a certificate that says nothing of it',
      { sourceRepositoryURI: 'https://github.com/acme/app' },
      {},
    ],
    ['identity_build', 'anything, where nothing is said', { sourceRepositoryURI: '**' }, {}],
    [
      'identity_build',
      'anything, where an empty text is',
      { sourceRepositoryURI: '**' },
      { says: [[12, '']] },
    ],
    [null, 'the owner’s number', { sourceRepositoryOwnerIdentifier: '1' }, { says: ACME }],
    [
      'identity_build',
      'a name taken over by another owner',
      { sourceRepositoryURI: 'https://github.com/acme/app', sourceRepositoryOwnerIdentifier: '1' },
      { says: builtFrom('acme', '3') },
    ],
    [
      'identity_build',
      'a fork’s pull request',
      { buildTrigger: 'push' },
      { says: [[20, 'pull_request_target']] },
    ],
    [
      'identity_build',
      'another runner',
      { runnerEnvironment: 'github-hosted' },
      { says: [[11, 'self-hosted']] },
    ],
    [null, 'the older form', { githubWorkflowRepository: 'acme/app' }, { says: [[5, 'acme/app']] }],
    [
      'identity_build',
      'the older form of another',
      { githubWorkflowRepository: 'acme/app' },
      { says: [[5, 'mallory/app']] },
    ],
    [
      'identity_build',
      'the newer form, where only the older is there',
      { sourceRepositoryURI: '**' },
      { says: [[5, 'acme/app']] },
    ],
    [
      'identity_mismatch',
      'the right repository and another workflow',
      { sourceRepositoryURI: 'https://github.com/acme/app' },
      { says: ACME, subject: 'https://github.com/mallory/w/.github/workflows/build.yml@refs/tags/v1' },
    ],
    [
      'identity_issuer',
      'the right repository of another issuer',
      { sourceRepositoryURI: 'https://github.com/acme/app' },
      { says: ACME, issuer: 'https://issuer.invalid' },
    ],
    [null, 'texts of any language', { githubWorkflowName: '🚀 Lançar*' }, { says: [[4, '🚀 Lançar v1']] }],
  ])('%s: %s', async (code, _name, fields, leaf) => {
    const record = await verifyBuild({ ...SHARED, ...fields }, leaf);
    expect([record.code, record.message]).toEqual([code, expect.anything()]);
  });

  it('says which authority, which field, and what to write where that is meant, too', async () => {
    const record = await verifyBuild(
      { ...SHARED, sourceRepositoryURI: 'https://github.com/acme/app' },
      { says: MALLORY },
    );
    expect(record.message).toContain(
      'ci, wants sourceRepositoryURI https://github.com/acme/app, not https://github.com/mallory/app',
    );
    expect(record.next).toContain('sourceRepositoryURI: "https://github.com/mallory/app"');
  });
});

describe('what a policy leaves open', () => {
  it('is named where the identity does not say whose source it is', async () => {
    const record = await verifyBuild(SHARED, { says: MALLORY });
    const [signer] = record.envelopes[0]!.signers;
    expect(signer).toMatchObject({
      certificate: { sourceRepositoryURI: 'https://github.com/mallory/app', buildTrigger: 'push' },
      open: ['sourceRepositoryURI', 'sourceRepositoryOwnerIdentifier'],
    });
    const report = evidenceReport(record, { colour: false });
    expect(report).toMatch(
      /note .*called from any repository.*sourceRepositoryURI: "https:\/\/github.com\/mallory\/app"/,
    );
  });

  it.each<[string, object, LeafOptions]>([
    ['a repository that is pinned', { sourceRepositoryURI: 'https://github.com/*/app' }, { says: ACME }],
    ['an owner that is pinned', { sourceRepositoryOwnerIdentifier: '1' }, { says: ACME }],
    ['a person', {}, {}],
    [
      'a workflow of the repository itself',
      { subject: IDENTITY.subject },
      { subject: IDENTITY.subject, says: ACME },
    ],
  ])('is nothing for %s', async (_name, fields, leaf) => {
    const record = await verifyBuild({ ...SHARED, ...fields }, leaf);
    expect(record.envelopes[0]).toMatchObject({ verdict: 'accepted', signers: [{ open: [] }] });
  });

  it('is another repository whose name begins alike', async () => {
    const says: Says = [[12, 'https://github.com/shared/work']];
    expect((await verifyBuild(SHARED, { says })).envelopes[0]!.signers[0]!.open).not.toEqual([]);
  });

  it('is told by policy explain, field by field', async () => {
    const open = await trustIn({ ...SHARED, sourceRepositoryRef: 'refs/heads/main' });
    const text = explainPolicy(open.policy, open.authorities);
    expect(text).toContain(
      'must say sourceRepositoryRef refs/heads/main; open, so that any value counts: sourceRepositoryURI,',
    );
    expect(text).toContain('where others can call that workflow, theirs are accepted, too');
    const pinned = await trustIn({ ...SHARED, sourceRepositoryURI: 'https://github.com/acme/app' });
    expect(explainPolicy(pinned.policy, pinned.authorities)).not.toContain('where others can call');
    const person = await trustIn({ issuer: 'https://accounts.example', subject: 'me@example.org' });
    expect(explainPolicy(person.policy, person.authorities)).not.toContain('open');
  });
});

it.each<[object, RegExp]>([
  [{ ...IDENTITY, noIssuer: true }, /exactly one of issuer, issuerRegExp and noIssuer/],
  [{ subject: 'x' }, /exactly one of issuer, issuerRegExp and noIssuer/],
  [{ noIssuer: false, subject: 'x' }, /noIssuer is not true/],
  [{ ...IDENTITY, sourceRepositoryOwnerIdentifier: 5 }, /numbers in quotes/],
  [{ ...IDENTITY, sourceRepositoryUri: 'x' }, /sourceRepositoryUri is not a known field/],
])('a policy is refused for %j', async (keyless, message) => {
  await expect(trustIn(keyless)).rejects.toThrow(message);
});

it('every field can be demanded', async () => {
  for (const field of FIELD_NAMES)
    expect((await verifyBuild({ ...SHARED, [field]: 'x' }, {})).code).toBe('identity_build');
});
