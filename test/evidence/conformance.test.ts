/** sigstore-conformance: every case decided rightly, and each failing one for the right kind of reason. */
import { afterAll, describe, expect, it } from 'vitest';

import type { Family } from '../../src/evidence/common/refusal.ts';
import { conformanceCases, verifyCase } from '../support/conformance.ts';

/** What each case's README says is wrong with it, as a family of codes. */
const FAMILIES: Record<string, Family> = {
  'bundle-empty-certificate-chain_fail': 'parse',
  'bundle-from-wrong-instance_fail': 'log',
  'bundle-invalid-base64-signature_fail': 'parse',
  'bundle-malformed-json_fail': 'parse',
  'bundle-negative-log-index_fail': 'parse',
  'bundle-unknown-version_fail': 'parse',
  'bundle-with-root-cert_fail': 'parse',
  'checkpoint-bad-keyhint_fail': 'log',
  'checkpoint-wrong-roothash_fail': 'log',
  'dsse-invalid-sig_fail': 'signature',
  'dsse-mismatch-envelope_fail': 'log',
  'dsse-mismatch-sig_fail': 'log',
  'inclusion-proof-corrupted-hash_fail': 'log',
  'incorrect-public-key_fail': 'log',
  'integrated-time-in-future_fail': 'time',
  'intoto-expired-certificate_fail': 'time',
  'intoto-log-entry-mismatch_fail': 'log',
  'intoto-missing-inclusion-proof_fail': 'log',
  'intoto-set-outside-signing-cert-validity_fail': 'time',
  'intoto-tsa-timestamp-outside-cert-validity_fail': 'time',
  'invalid-checkpoint-signature_fail': 'log',
  'invalid-ct-key_fail': 'trust',
  'invalid-inclusion-proof_fail': 'log',
  'managed-key-no-key_fail': 'identity',
  // Its key.pub is not a key at all.
  'managed-key-wrong-key_fail': 'trust',
  'message-digest-mismatch_fail': 'subject',
  'rekor2-checkpoint-missing-log-signature_fail': 'log',
  'rekor2-checkpoint-missing-origin_fail': 'log',
  'rekor2-checkpoint-missing-root-hash_fail': 'log',
  'rekor2-checkpoint-missing-size_fail': 'log',
  'rekor2-checkpoint-no-matching-signature_fail': 'log',
  'rekor2-dsse-invalid-sig_fail': 'signature',
  'rekor2-dsse-mismatch-envelope_fail': 'log',
  'rekor2-dsse-mismatch-sig_fail': 'log',
  'rekor2-no-inclusion-proof_fail': 'log',
  'rekor2-no-timestamp_fail': 'time',
  'rekor2-timestamp-outside-trust-root-tsa-validity_fail': 'time',
  'rekor2-timestamp-outside-tsa-cert-validity_fail': 'time',
  'rekor2-timestamp-payload-mismatch_fail': 'time',
  'rekor2-timestamp-untrusted-tsa-with-embedded-cert_fail': 'time',
  'rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail': 'time',
  'rekor2-timestamp-with-incorrect-time_fail': 'time',
  'set-invalid-signature_fail': 'log',
  'signature-mismatch_fail': 'signature',
  'trust-root-tlog-missing-validity-start_fail': 'trust',
  'wrong-hashedrekord-artifact_fail': 'log',
  'wrong-hashedrekord-cert-and-sig_fail': 'log',
  'wrong-hashedrekord-entry_fail': 'log',
  'wrong-material_fail': 'subject',
};

const cases = conformanceCases();
let right = 0;

describe('sigstore-conformance', () => {
  if (cases.length === 0)
    it.skip('its bundle cases (skipped: REENACT_CASES names no folder with sigstore-conformance/)', () =>
      undefined);
  it.each(cases)('$name', async (one) => {
    const record = await verifyCase(one);
    const told = `${record.code}: ${record.message}`;
    if (one.name.endsWith('_fail')) {
      expect(record.verdict, told).toBe('rejected');
      expect(record.family, told).toBe(FAMILIES[one.name]);
    } else expect(record.verdict, told).toBe('verified');
    right++;
  });
  afterAll(() => {
    if (cases.length > 0) console.log(`sigstore-conformance: ${right} of ${cases.length} cases`);
  });
});
