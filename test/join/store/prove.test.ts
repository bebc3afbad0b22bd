/** Evidence of joined frames, judged from bytes that may be forged. */
import { expect, it } from 'vitest';

import { digestOf } from '../../../src/base/digest.ts';
import { vouchedBy } from '../../../src/evidence/custody/vouched.ts';
import { Prover } from '../../../src/join/store/prove.ts';
import { envelope, makeKey, SUBJECT, statement } from '../../support/keys.ts';
import { trustOf, verifyAs } from '../../support/verify.ts';

const NOW = Date.parse('2026-11-21T00:00:00Z');
const about = { subject_sha256: SUBJECT, within: [] };

it('a file that is not there is no success', async () => {
  const trust = await trustOf([makeKey()]);
  const prover = new Prover(trust, NOW, () => undefined);
  const proof = await prover.prove('symbols', { ...about, files: [digestOf('x')] });
  expect(proof).toMatchObject({ verified: false, code: 'evidence_missing', signers: [] });
});

it('all proofs together take no more checks of signatures than one may', { timeout: 60_000 }, async () => {
  const key = makeKey();
  const trust = await trustOf([key, ...Array.from({ length: 127 }, () => makeKey())]);
  const good = envelope([key], statement());
  const junk = { ...good, signatures: [{ sig: 'AA==' }] };
  const file = Buffer.from(JSON.stringify(good));
  const many = Buffer.from([...Array.from({ length: 1000 }, () => JSON.stringify(junk))].join('\n'));
  const files = new Map([file, many].map((bytes) => [digestOf(bytes), bytes]));
  const prover = new Prover(trust, NOW, (sha256) => files.get(sha256));
  const prove = (bytes: Buffer): ReturnType<Prover['prove']> =>
    prover.prove('symbols', { ...about, files: [digestOf(bytes)] });
  expect(await prove(file)).toMatchObject({ verified: true, signers: ['k0'] });
  for (const code of [/signature/, /signature/, /evidence_too_large/])
    expect((await prove(many)).code).toMatch(code);
  expect(await prove(file)).toMatchObject({ verified: false, code: 'evidence_too_large' });
});

it('who signed when is said of all that was accepted, each signer once, and of nothing that was refused', async () => {
  const key = makeKey();
  const file = (predicate: number): Buffer =>
    Buffer.from(JSON.stringify(envelope([key], statement({ predicate }))));
  const more = [{ name: 'more.json', bytes: file(2) }];
  const record = await verifyAs(await trustOf([key]), file(1), { more });
  const [one, other] = record.envelopes;
  const at = (time: string): { source: string; time: string }[] => [{ source: 'tsa', time }];
  const envelopes = [
    { ...one!, verdict: 'rejected' as const, timestamps: at('2026-01-01T00:00:00Z') },
    one!,
    { ...other!, timestamps: at('2026-02-02T00:00:00Z') },
  ];
  const signed_at = '2026-02-02T00:00:00Z';
  expect(vouchedBy({ ...record, envelopes })).toEqual({ signers: ['k0'], signed_at, tile_ref: null });
  expect(vouchedBy({ ...record, envelopes, verdict: 'rejected' })).toEqual({
    ...{ signers: [], signed_at: null, tile_ref: null },
  });
});
