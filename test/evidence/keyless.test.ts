/** Certificates and logs: an instance of our own, and everything that must not be accepted from it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { Trust } from '../../src/evidence/trust/trust.ts';
import { parsePolicy } from '../../src/policy/policy.ts';
import { statement } from '../support/keys.ts';
import { TestLog } from '../support/log.ts';
import {
  type BundleJson,
  IDENTITY,
  type LeafOptions,
  SERVER_AUTH,
  SIGNED_MS,
  TestSigstore,
} from '../support/sigstore.ts';
import { verifyAs } from '../support/verify.ts';
import { tempFolder } from '../support/world.ts';

const sigstore = new TestSigstore();
const DAY = 86_400_000;

async function trust(
  o: {
    keyless?: Record<string, string>;
    root?: Record<string, unknown>;
    authority?: Record<string, unknown>;
    trust?: Record<string, unknown>;
  } = {},
): Promise<Trust> {
  const folder = tempFolder();
  writeFileSync(join(folder, 'root.json'), JSON.stringify(o.root ?? sigstore.trustedRoot()));
  const document = {
    version: 1,
    trust: { root: 'root.json', ...o.trust },
    authorities: [{ id: 'ci', keyless: o.keyless ?? IDENTITY, ...o.authority }],
  };
  return new Trust(
    await parsePolicy(JSON.stringify({ ...document, require: [{ subjects: ['manifest'] }] }), 'test', folder),
  );
}

async function codeOf(bundle: unknown, o: Parameters<typeof trust>[0] = {}): Promise<string | null> {
  const record = await verifyAs(await trust(o), bundle);
  if (record.verdict === 'error') throw new Error(record.message);
  return record.code;
}

const good = sigstore.bundle();
const changed = (change: (bundle: BundleJson) => void): BundleJson => {
  const copy = structuredClone(good);
  change(copy);
  return copy;
};
const entry = (bundle: BundleJson): BundleJson['verificationMaterial']['tlogEntries'][number] =>
  bundle.verificationMaterial.tlogEntries[0]!;

describe('a keyless bundle', () => {
  it('is accepted, and the record names only what was proven', async () => {
    const record = await verifyAs(await trust(), good);
    expect(record).toMatchObject({ verdict: 'verified', code: null });
    expect(record.envelopes[0]).toMatchObject({
      signers: [{ authority: 'ci', identity: IDENTITY.subject, issuer: IDENTITY.issuer }],
      timestamps: [{ source: 'log-promise', time: new Date(SIGNED_MS).toISOString() }],
      log: [{ origin: 'rekor.test', tile_ref: expect.stringMatching(/^rekor:rekor\.test\/5@6\?root=/) }],
    });
  });

  it.each<[string, string, (bundle: BundleJson) => void]>([
    [
      'evidence_newer',
      'a media type of the future',
      (b) => (b.mediaType = b.mediaType.replace('0.3', '9.9')),
    ],
    ['evidence_unreadable', 'a media type with junk after it', (b) => (b.mediaType += ';x')],
    ['evidence_malformed', 'an unknown field', (b) => Object.assign(b, { extra: 1 })],
    ['evidence_malformed', 'an index in hex', (b) => (entry(b).logIndex = '0x5')],
    [
      'evidence_malformed',
      'an index over 2^53',
      (b) => (entry(b).inclusionProof!.logIndex = '9007199254740993'),
    ],
    ['evidence_malformed', 'base64 with junk', (b) => (entry(b).canonicalizedBody += '!')],
    ['evidence_malformed', 'data after the padding', (b) => (b.dsseEnvelope.signatures[0]!.sig = 'AA==AA==')],
    ['evidence_malformed', 'mixed base64 alphabets', (b) => (b.dsseEnvelope.signatures[0]!.sig = '-_+/')],
    [
      'evidence_malformed',
      'a certificate and a key together',
      (b) => Object.assign(b.verificationMaterial, { publicKey: { hint: 'x' } }),
    ],
    ['evidence_malformed', 'two signatures', (b) => b.dsseEnvelope.signatures.push({ sig: 'AAAA' })],
    ['time_missing', 'a time that nobody vouches for', (b) => delete entry(b).inclusionPromise],
    ['signature_missing', 'no signature', (b) => (b.dsseEnvelope.signatures = [])],
    ['signature_invalid', 'another payload type', (b) => (b.dsseEnvelope.payloadType = 'text/plain')],
    [
      'signature_invalid',
      'another payload',
      (b) =>
        (b.dsseEnvelope.payload = Buffer.from(JSON.stringify(statement({ predicate: {} }))).toString(
          'base64',
        )),
    ],
    ['log_missing', 'a proof that was cut out', (b) => delete entry(b).inclusionProof],
    [
      'log_missing',
      'a proof cut out by calling it v0.1',
      (b) => {
        b.mediaType = 'application/vnd.dev.sigstore.bundle+json;version=0.1';
        delete entry(b).inclusionProof;
      },
    ],
    [
      'time_missing',
      'no log entry, so that no time is proven',
      (b) => (b.verificationMaterial.tlogEntries = []),
    ],
    ['log_proof', 'a forged tree size', (b) => (entry(b).inclusionProof!.treeSize = '7')],
    [
      'log_proof',
      'a forged root hash',
      (b) => (entry(b).inclusionProof!.rootHash = Buffer.alloc(32).toString('base64')),
    ],
    ['log_proof', 'an index one higher', (b) => (entry(b).inclusionProof!.logIndex = '4')],
    ['log_proof', 'a missing hash', (b) => entry(b).inclusionProof!.hashes.pop()],
    [
      'log_proof',
      'an extra hash',
      (b) => entry(b).inclusionProof!.hashes.push(Buffer.alloc(32).toString('base64')),
    ],
    ['log_promise', 'a forged time', (b) => (entry(b).integratedTime = String(SIGNED_MS / 1000 + 60))],
    ['log_promise', 'a forged index over all shards', (b) => (entry(b).logIndex = '4711')],
    ['log_key', 'another log', (b) => (entry(b).logId.keyId = Buffer.alloc(32).toString('base64'))],
    ['log_body', 'an entry of another kind', (b) => (entry(b).kindVersion.kind = 'intoto')],
    [
      'log_checkpoint',
      'garbage after the checkpoint',
      (b) => (entry(b).inclusionProof!.checkpoint.envelope += 'x\n'),
    ],
    [
      'log_key',
      'a shortened signature name',
      (b) =>
        (entry(b).inclusionProof!.checkpoint.envelope = entry(b).inclusionProof!.checkpoint.envelope.replace(
          '— rekor.test ',
          '— rekor ',
        )),
    ],
    [
      'log_body',
      'proofs swapped between two valid bundles',
      (b) => (b.verificationMaterial.tlogEntries = sigstore.bundle().verificationMaterial.tlogEntries),
    ],
    [
      'log_proof',
      'the proof of another entry',
      (b) => (entry(b).inclusionProof!.hashes = entry(sigstore.bundle()).inclusionProof!.hashes.slice(0, 1)),
    ],
  ])('%s: %s', async (code, _name, change) => {
    expect(await codeOf(changed(change))).toBe(code);
  });

  it.each<[string, string, LeafOptions & { payload?: Record<string, unknown>; payloadType?: string }]>([
    ['identity_certificate', 'a certificate for web servers', { usage: SERVER_AUTH }],
    ['identity_certificate', 'a certificate authority’s certificate', { ca: true }],
    ['identity_issuer', 'another issuer', { issuer: 'https://accounts.example.org' }],
    ['identity_mismatch', 'a longer subject', { subject: `${IDENTITY.subject}x` }],
    [
      'identity_mismatch',
      'a subject with something before it',
      { subject: `https://evil.example/${IDENTITY.subject}` },
    ],
    [
      'identity_certificate',
      'a subject in other letters',
      { subject: IDENTITY.subject.replace('acme', 'аcme') },
    ],
    ['time_outside', 'a certificate that was over', { notAfterMs: SIGNED_MS - 1000 }],
    ['time_outside', 'a certificate not valid yet', { notBeforeMs: SIGNED_MS + 1000 }],
    ['statement_not_in_toto', 'something that is no statement', { payloadType: 'application/json' }],
    [
      'subject_missing',
      'evidence about something else',
      { payload: statement({ subject: [{ digest: { sha256: 'b2'.repeat(32) } }] }) },
    ],
  ])('%s: %s', async (code, _name, leaf) => {
    expect(await codeOf(sigstore.bundle(leaf))).toBe(code);
  });

  it.each<[string, string, Parameters<TestSigstore['trustedRoot']>[0]]>([
    [
      'log_key',
      'a log key that ended before',
      { logStart: '2001-01-01T00:00:00Z', logEnd: '2001-12-31T00:00:00Z' },
    ],
    ['log_key', 'a log key that starts in 2090', { logStart: '2090-01-01T00:00:00Z' }],
    ['trust_root_malformed', 'a log key without a start', { logStart: null }],
    ['time_outside', 'a certificate authority that ended before', { caEnd: '2026-02-01T00:00:00Z' }],
  ])('%s: %s', async (code, _name, root) => {
    expect(await codeOf(good, { root: sigstore.trustedRoot(root) })).toBe(code);
  });

  it('trust_root_pin: another root under the same pin', async () => {
    expect(await codeOf(good, { trust: { sha256: `sha256:${'0'.repeat(64)}` } })).toBe('trust_root_pin');
  });

  it('trust_root_malformed: a timestamp authority whose certificate is not for timestamping', async () => {
    const root = sigstore.trustedRoot();
    root.timestampAuthorities = root.certificateAuthorities;
    expect(await codeOf(good, { root })).toBe('trust_root_malformed');
  });

  it('trust_certificate: the instance of somebody else, of the same names', async () => {
    const other = new TestSigstore();
    const root = other.trustedRoot();
    root.tlogs = sigstore.trustedRoot().tlogs;
    expect(await codeOf(good, { root })).toBe('trust_certificate');
  });

  it('says how to renew a root that is too old', async () => {
    const record = await verifyAs(
      await trust({ root: sigstore.trustedRoot({ caEnd: '2026-02-01T00:00:00Z' }) }),
      good,
    );
    expect(record.message).toContain('renew it');
  });

  it('accepts a promise alone only where the policy says so', async () => {
    const v01 = changed((b) => {
      b.mediaType = 'application/vnd.dev.sigstore.bundle+json;version=0.1';
      delete entry(b).inclusionProof;
    });
    expect(await codeOf(v01, { authority: { transparency: 'promise' } })).toBeNull();
    expect(await codeOf(v01, { authority: { transparency: 'required' } })).toBe('log_missing');
  });

  it('asks for as many times as the policy does', async () => {
    expect(await codeOf(good, { authority: { timestamps: { min: 2 } } })).toBe('time_missing');
  });

  it.each<[string | null, Record<string, string>]>([
    [
      null,
      { issuer: IDENTITY.issuer, subject: 'https://github.com/acme/*/.github/workflows/*@refs/heads/main' },
    ],
    [null, { issuer: IDENTITY.issuer, subject: 'https://github.com/acme/**' }],
    ['identity_mismatch', { issuer: IDENTITY.issuer, subject: 'https://github.com/acme/*' }],
    ['identity_mismatch', { issuer: IDENTITY.issuer, subject: 'github' }],
    [null, { issuer: IDENTITY.issuer, subjectRegExp: 'https://github\\.com/acme/.*' }],
    ['identity_mismatch', { issuer: IDENTITY.issuer, subjectRegExp: 'github' }],
    ['identity_mismatch', { issuer: IDENTITY.issuer, subjectRegExp: 'acme|x' }],
    ['identity_mismatch', { issuer: IDENTITY.issuer, subjectRegExp: '([a-z]+)*[0-9]{50}' }],
  ])('%s: identities %j', async (code, keyless) => {
    expect(await codeOf(good, { keyless })).toBe(code);
  });

  it('stops a regular expression that would take for ever', async () => {
    const subject = `https://github.com/${'a'.repeat(2000)}!`;
    const began = performance.now();
    const keyless = { issuer: IDENTITY.issuer, subjectRegExp: 'https://github.com/(a+)+b' };
    expect(await codeOf(sigstore.bundle({ subject }), { keyless })).toBe('identity_mismatch');
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it.each<[string, object]>([
    ['log_witness', { witnesses: { keys: new TestLog({ witnesses: 1 }).witnessKeys, min: 1 } }],
    ['log_key', { notAfter: '2026-02-01T00:00:00Z' }],
  ])('%s: what the policy says of a log counts, though the root has it too', async (code, more) => {
    expect(await codeOf(good, { trust: { logs: [{ key: sigstore.log.verifierKey, ...more }] } })).toBe(code);
  });

  it('time_missing: two entries of one log are one authority’s word', async () => {
    const twice = changed((b) => b.verificationMaterial.tlogEntries.push(sigstore.entryAgain(b)));
    expect(await codeOf(twice)).toBeNull();
    expect(await codeOf(twice, { authority: { timestamps: { min: 2 } } })).toBe('time_missing');
  });

  it('keeps a bundle valid long after its certificate ended', async () => {
    const record = await verifyAs(await trust(), good, { nowMs: SIGNED_MS + 3000 * DAY });
    expect(record.verdict).toBe('verified');
  });
});
