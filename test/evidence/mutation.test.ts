/** Real bundles with one byte changed, and noise: nothing verifies with another meaning, nothing escapes its code. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Fault } from '../../src/base/fault.ts';
import { parsePublicKey } from '../../src/evidence/common/keys.ts';
import { Refusal } from '../../src/evidence/common/refusal.ts';
import type { EvidenceRecord } from '../../src/evidence/documents/record.ts';
import { parseStatement } from '../../src/evidence/documents/statement.ts';
import { Trust } from '../../src/evidence/trust/trust.ts';
import { parseTrustedRoots } from '../../src/evidence/trust/trusted-root.ts';
import { parseEvidenceFile } from '../../src/evidence/verify/evidence-file.ts';
import { parsePolicy } from '../../src/policy/policy.ts';
import { conformanceCases, verifyCase } from '../support/conformance.ts';
import { envelope, makeKey } from '../support/keys.ts';
import { TestSigstore } from '../support/sigstore.ts';
import { trustOf, verifyAs } from '../support/verify.ts';

const REAL = ['happy-path-v0.1', 'happy-path-intoto-in-dsse-v3', 'rekor2-dsse-happy-path'];
const cases = conformanceCases().filter(({ name }) => REAL.includes(name));

/** What a record says, without what names the very bytes. */
function meaning(record: EvidenceRecord): unknown {
  return { ...record, envelopes: record.envelopes.map((one) => ({ ...one, sha256: '' })) };
}

describe('each byte of a real bundle flipped in turn', () => {
  if (cases.length === 0)
    it.skip('(skipped: REENACT_CASES names no folder with sigstore-conformance/)', () => undefined);
  it.each(cases)('$name', { timeout: 120_000 }, async (one) => {
    const trust = new Trust(await one.policy());
    const original = meaning(await verifyCase(one, one.bundle, trust));
    let verified = 0;
    for (let at = 0; at < one.bundle.length; at++) {
      const changed = Buffer.from(one.bundle);
      changed[at]! ^= 1 << (at % 7);
      const record = await verifyCase(one, changed, trust);
      expect(record.verdict, `byte ${at}: ${record.message}`).not.toBe('error');
      if (record.verdict !== 'verified') continue;
      expect(meaning(record), `byte ${at}`).toEqual(original);
      verified++;
    }
    console.log(
      `${one.name}: ${one.bundle.length} bytes flipped, ${verified} without effect, the others refused`,
    );
  });
});

describe('fuzz', async () => {
  const sigstore = new TestSigstore();
  const key = makeKey();
  const trust = await trustOf([key]);
  const texts = [
    JSON.stringify(sigstore.bundle()),
    JSON.stringify(envelope([key])),
    JSON.stringify(sigstore.trustedRoot()),
    Buffer.from(envelope([key]).payload, 'base64').toString(),
    String(key.publicKey.export({ type: 'spki', format: 'pem' })),
  ];
  const mutated = fc
    .tuple(fc.constantFrom(...texts), fc.nat(), fc.string({ unit: 'binary', maxLength: 6 }), fc.nat(12))
    .map(([text, at, insert, cut]) => {
      const i = at % (text.length + 1);
      return text.slice(0, i) + insert + text.slice(i + cut);
    });
  const input = fc.oneof(mutated, fc.string({ unit: 'binary' }), fc.json()).map((text) => Buffer.from(text));

  it.each<[string, (bytes: Buffer) => unknown]>([
    ['files of evidence', (bytes) => parseEvidenceFile(bytes, 'x')],
    ['statements', (payload) => parseStatement({ payload, payloadType: 'application/vnd.in-toto+json' })],
    ['trusted roots', (bytes) => parseTrustedRoots(bytes, 'x')],
    ['keys', (bytes) => parsePublicKey(bytes, 'x')],
  ])('%s: only Refusals', (_name, parse) => {
    fc.assert(
      fc.property(input, (bytes) => {
        try {
          parse(bytes);
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
        }
      }),
      { numRuns: 400 },
    );
  });

  it('policies: only faults of the policy', async () => {
    const policies = [
      '{"version":1,"authorities":[{"id":"a","keyless":{"issuer":"x","subject":"y"}}],"require":[{"match":{"/a":1}}]}',
      'version: 1\ngates: {replay_ratio: 0.5}\ntrust: {logs: [{key: "a+00000000+AAAA"}]}\n',
    ];
    const text = fc
      .tuple(fc.constantFrom(...policies), fc.nat(), fc.string({ maxLength: 4 }), fc.nat(6))
      .map(([policy, at, insert, cut]) => {
        const i = at % (policy.length + 1);
        return policy.slice(0, i) + insert + policy.slice(i + cut);
      });
    await fc.assert(
      fc.asyncProperty(fc.oneof(text, fc.string({ unit: 'binary' })), async (policy) => {
        try {
          await parsePolicy(policy, 'x', '/');
        } catch (error) {
          if (!(error instanceof Fault) || error.code !== 'policy_invalid') throw error;
        }
      }),
      { numRuns: 400 },
    );
  });

  it('verification never ends in an error of ours', async () => {
    await fc.assert(
      fc.asyncProperty(input, async (bytes) => {
        expect((await verifyAs(trust, bytes)).verdict).not.toBe('error');
      }),
      { numRuns: 400 },
    );
  });
});
