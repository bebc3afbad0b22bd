/** Log entries without the log's promise: an authority's timestamp says when it was signed, and an unsigned time proves nothing. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { Trust } from '../../src/evidence/trust/trust.ts';
import { parsePolicy } from '../../src/policy/policy.ts';
import { makeAuthority } from '../support/authority.ts';
import { type BundleJson, IDENTITY, TestSigstore } from '../support/sigstore.ts';
import { verifyAs } from '../support/verify.ts';
import { tempFolder } from '../support/world.ts';

const sigstore = new TestSigstore();
const authority = makeAuthority();
const root = {
  ...sigstore.trustedRoot(),
  ...JSON.parse(authority.root),
  tlogs: sigstore.trustedRoot().tlogs,
};
root.certificateAuthorities = sigstore.trustedRoot().certificateAuthorities;
const folder = tempFolder();
writeFileSync(join(folder, 'root.json'), JSON.stringify(root));
const policy = (more: object = {}): Promise<Trust> =>
  parsePolicy(
    JSON.stringify({
      version: 1,
      trust: { root: 'root.json' },
      authorities: [{ id: 'ci', keyless: IDENTITY, transparency: 'required', ...more }],
    }),
    'test',
    folder,
  ).then((parsed) => new Trust(parsed));

/** Signed now, so that a timestamp made now lies in the certificate's days. */
const nowMs = Date.now();
const DAY = 86_400_000;

type Entry = BundleJson['verificationMaterial']['tlogEntries'][number];

function timed(change: (entry: Entry) => void = () => undefined, stamped = true): unknown {
  const bundle = sigstore.bundle({ notBeforeMs: nowMs - DAY, notAfterMs: nowMs + DAY });
  const entry = bundle.verificationMaterial.tlogEntries[0]!;
  delete entry.inclusionPromise;
  delete (entry as Partial<Entry>).integratedTime;
  change(entry);
  const signature = Buffer.from(bundle.dsseEnvelope.signatures[0]!.sig, 'base64');
  const rfc3161Timestamps = [{ signedTimestamp: authority.stamp(signature).toString('base64') }];
  return {
    ...bundle,
    verificationMaterial: {
      ...bundle.verificationMaterial,
      ...(stamped ? { timestampVerificationData: { rfc3161Timestamps } } : {}),
    },
  };
}

it.each<[string | null, string, unknown]>([
  [null, 'no promise and no time in the entry', timed()],
  [null, 'a time in the entry that no promise covers', timed((e) => (e.integratedTime = '1'))],
  [
    null,
    'an index over all shards',
    timed((e) => (e.logIndex = String(Number(e.inclusionProof!.logIndex) + 1000))),
  ],
  ['log_proof', 'an index over all shards below that in the shard', timed((e) => (e.logIndex = '0'))],
  ['log_proof', 'another index in the proof', timed((e) => (e.inclusionProof!.logIndex = '0'))],
  [
    'log_missing',
    'neither promise nor proof',
    timed((e) => {
      delete e.inclusionProof;
    }),
  ],
  [
    'log_promise',
    'a promise that is none',
    timed((e) => {
      e.integratedTime = String(Math.floor(nowMs / 1000));
      e.inclusionPromise = { signedEntryTimestamp: Buffer.alloc(70, 1).toString('base64') };
    }),
  ],
  ['time_missing', 'no timestamp', timed(undefined, false)],
  [
    'time_missing',
    'no timestamp, and a time that no promise covers',
    timed((e) => (e.integratedTime = String(Math.floor(nowMs / 1000))), false),
  ],
])('%s: %s', async (code, _name, bundle) => {
  const record = await verifyAs(await policy(), bundle, { nowMs });
  expect(record.code, record.message).toBe(code);
  if (code === null)
    expect(record.envelopes[0]!.timestamps.map(({ source }) => source)).toEqual(['timestamp-authority']);
});

it('a time that no promise covers counts for no minimum', async () => {
  const bundle = timed((e) => (e.integratedTime = String(Math.floor(nowMs / 1000))));
  const record = await verifyAs(await policy({ timestamps: { min: 2 } }), bundle, { nowMs });
  expect(record.code).toBe('time_missing');
});

it('trust_certificate: GitHub’s own instance is named, not its timestamps, which are its own, too', async () => {
  const github = new TestSigstore('GitHub, Inc.');
  const bundle = github.bundle({ notBeforeMs: nowMs - DAY, notAfterMs: nowMs + DAY });
  const signature = Buffer.from(bundle.dsseEnvelope.signatures[0]!.sig, 'base64');
  const rfc3161Timestamps = [{ signedTimestamp: makeAuthority().stamp(signature).toString('base64') }];
  bundle.verificationMaterial.tlogEntries = [];
  Object.assign(bundle.verificationMaterial, { timestampVerificationData: { rfc3161Timestamps } });
  const record = await verifyAs(await policy({ transparency: 'none' }), bundle, { nowMs });
  expect([record.code, record.next]).toEqual([
    'trust_certificate',
    expect.stringContaining('gh attestation trusted-root'),
  ]);
});
