/** Evidence that is refused, by the code it is refused with: a row for each that a run can record. */
import { digestOf } from '../../src/base/digest.ts';
import { EVIDENCE_LIMITS } from '../../src/base/limits.ts';
import type { RefusalCode } from '../../src/evidence/common/refusal.ts';
import { envelope, makeKey, messageBundle, signWith, statement } from './keys.ts';
import { TestLog } from './log.ts';
import { about, PLAIN, type RefusedRun } from './refused.ts';
import {
  byKey,
  entry,
  key,
  keyless,
  logged,
  other,
  requiring,
  SLSA,
  signed,
  sigstore,
  stamped,
  strangerToKeys,
  text,
} from './refused-by.ts';
import { IDENTITY, SERVER_AUTH, SIGNED_MS, TestSigstore } from './sigstore.ts';
import { trustOf } from './verify.ts';

const file = Buffer.from('a file');

type Row = [RefusalCode, string, () => Promise<RefusedRun>];

export const ROWS: Row[] = [
  [
    'evidence_too_large',
    'more signatures than are tried',
    async () => {
      const many = Math.ceil(EVIDENCE_LIMITS.signatureChecks / EVIDENCE_LIMITS.envelopes / 64) + 1;
      const one = { ...envelope([key], about(PLAIN)) };
      const signatures = Array.from({ length: 64 }, (_, i) => ({ sig: Buffer.from([i]).toString('base64') }));
      const list = Array.from({ length: EVIDENCE_LIMITS.envelopes }, () => ({ ...one, signatures }));
      const { policy } = await trustOf(Array.from({ length: many }, () => key));
      return { evidence: text(list), policy };
    },
  ],
  ['evidence_unreadable', 'no form that is known', () => byKey({ evidence: 'not evidence' })],
  [
    'evidence_malformed',
    'a payload that is not base64',
    () => byKey({ evidence: text({ ...envelope([key]), payload: '!' }) }),
  ],
  [
    'evidence_malformed',
    'a reference in another form',
    () => byKey({ manifest: { dsse_envelope: 'dsse:m.dsse.json' } }),
  ],
  [
    'evidence_malformed',
    'a proof beside it that cannot be read',
    () => logged(() => ({ 'z.tlog-proof': 'junk' })),
  ],
  [
    'evidence_newer',
    'a form of the future',
    () => keyless({}, (b) => (b.mediaType = b.mediaType.replace('0.3', '9.9'))),
  ],
  [
    'evidence_missing',
    'none is named',
    async () => byKey({ manifest: { dsse_envelope: undefined } as never }),
  ],
  ['evidence_missing', 'an envelope that is nowhere', () => byKey({ evidence: null })],
  [
    'evidence_missing',
    'an envelope of another digest',
    () => byKey({ manifest: { dsse_envelope: `dsse:${digestOf('x')}` } }),
  ],
  [
    'signature_missing',
    'no signature',
    () => byKey({ evidence: text({ ...envelope([key], about(PLAIN)), signatures: [] }) }),
  ],
  [
    'signature_invalid',
    'a payload that was changed',
    () => {
      const good = envelope([key], about(PLAIN));
      const payload = Buffer.from(text(about(PLAIN, { predicate: 'changed' }))).toString('base64');
      return byKey({ evidence: text({ ...good, payload }) });
    },
  ],
  [
    'signature_duplicate',
    'the same signature twice',
    () => {
      const { signatures, ...rest } = envelope([key], about(PLAIN));
      return byKey({ evidence: text({ ...rest, signatures: [...signatures, ...signatures] }) });
    },
  ],
  [
    'signature_algorithm',
    'another algorithm than is pinned',
    async () => {
      const pss = makeKey('rsa-pss-sha256');
      const { policy } = await trustOf([pss]);
      return { evidence: text(envelope([{ ...pss, algorithm: 'rsa-pkcs1-sha256' }], about(PLAIN))), policy };
    },
  ],
  ['subject_missing', 'evidence about something else', () => byKey({ evidence: signed(statement()) })],
  [
    'subject_malformed',
    'a digest that is none',
    () =>
      byKey({
        evidence: signed(about(PLAIN, { subject: [{ name: 'm', digest: { sha256: 'A1'.repeat(32) } }] })),
      }),
  ],
  [
    'artifact_mismatch',
    'a signature over a file',
    () => byKey({ evidence: text(messageBundle(signWith(key, file), file)) }),
  ],
  [
    'statement_not_in_toto',
    'another payload',
    () => byKey({ evidence: signed(about(PLAIN), 'application/json') }),
  ],
  [
    'statement_malformed',
    'a statement without subjects',
    () => byKey({ evidence: signed({ ...about(PLAIN), subject: 1 }) }),
  ],
  ['predicate_type', 'another type', () => byKey({}, requiring({ predicateType: SLSA }))],
  [
    'predicate_malformed',
    'provenance that says nothing',
    () =>
      byKey(
        { evidence: signed(about(PLAIN, { predicateType: SLSA, predicate: {} })) },
        requiring({ slsa: { level: 1, builders: { 'urn:a': 3 } } }),
      ),
  ],
  ['predicate_mismatch', 'another value', () => byKey({}, requiring({ match: { '/good': false } }))],
  [
    'predicate_builder',
    'a builder that is not listed',
    () => {
      const predicate = { buildDefinition: { buildType: 'urn:b' }, runDetails: { builder: { id: 'urn:b' } } };
      const evidence = signed(about(PLAIN, { predicateType: SLSA, predicate }));
      return byKey({ evidence }, requiring({ slsa: { level: 3, builders: { 'urn:a': 3 } } }));
    },
  ],
  ['log_missing', 'no proof of the entry named', () => logged(() => ({}))],
  [
    'log_promise',
    'a time that was changed',
    () => keyless({}, (b) => (entry(b).integratedTime = String(SIGNED_MS / 1000 + 60))),
  ],
  ['log_proof', 'another tree', () => keyless({}, (b) => (entry(b).inclusionProof!.treeSize = '7000'))],
  [
    'log_checkpoint',
    'junk after the checkpoint',
    () => keyless({}, (b) => (entry(b).inclusionProof!.checkpoint.envelope += 'x\n')),
  ],
  [
    'log_key',
    'another log',
    () => keyless({}, (b) => (entry(b).logId.keyId = Buffer.alloc(32).toString('base64'))),
  ],
  [
    'log_body',
    'the entry of another signature',
    () =>
      keyless(
        {},
        (b) => (b.verificationMaterial.tlogEntries = sigstore.bundle().verificationMaterial.tlogEntries),
      ),
  ],
  ['log_reference', 'another spelling', () => byKey({ manifest: { rekor_tile_ref: 'rekor:x' } })],
  [
    'log_witness',
    'too few witnesses',
    () =>
      logged(
        (log, index) => ({ 'm.tlog-proof': log.tlogProof(index) }),
        (log) => ({
          witnesses: { keys: [...log.witnessKeys, ...new TestLog({ witnesses: 1 }).witnessKeys], min: 2 },
        }),
      ),
  ],
  [
    'time_missing',
    'a time that nobody vouches for',
    () => keyless({}, (b) => delete entry(b).inclusionPromise),
  ],
  ['time_invalid', 'a timestamp of an authority that is not named', stamped],
  ['time_outside', 'a certificate that was over', () => keyless({ notAfterMs: SIGNED_MS - 1000 })],
  ['time_outside', 'a key that is over', () => byKey({}, {}, { notAfter: '2020-01-01T00:00:00Z' })],
  ['identity_mismatch', 'another subject', () => keyless({ subject: `${IDENTITY.subject}x` })],
  ['identity_issuer', 'another issuer', () => keyless({ issuer: 'https://accounts.example.org' })],
  [
    'identity_build',
    'another build',
    () =>
      keyless({}, undefined, {
        authority: { keyless: { ...IDENTITY, sourceRepositoryURI: 'https://github.com/acme/other' } },
      }),
  ],
  ['identity_unknown', 'an identity, where keys are named', strangerToKeys],
  [
    'identity_threshold',
    'one of two',
    async () => {
      const two = requiring({ threshold: { min: 2 } }) as Record<string, unknown>;
      return { key, policy: (await trustOf([key, other], two)).policy };
    },
  ],
  ['identity_certificate', 'a certificate for web servers', () => keyless({ usage: SERVER_AUTH })],
  [
    'trust_root_malformed',
    'a log key without a start',
    () => keyless({}, undefined, { root: sigstore.trustedRoot({ logStart: null }) }),
  ],
  [
    'trust_root_pin',
    'another root under the pin',
    () => keyless({}, undefined, { trust: { sha256: `sha256:${'0'.repeat(64)}` } }),
  ],
  [
    'trust_certificate',
    'another authority of the same name',
    () =>
      keyless({}, undefined, {
        root: { ...new TestSigstore().trustedRoot(), tlogs: sigstore.trustedRoot().tlogs },
      }),
  ],
  ['trust_key_revoked', 'a key that was revoked', () => byKey({}, {}, { revokedAt: '2020-01-01T00:00:00Z' })],
];
