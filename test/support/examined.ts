/** An accepted bundle as the reports about it are given it, made without an engine. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { examineBundle } from '../../src/bundle/verify/verify.ts';
import { collect } from '../../src/bundle/write/collect.ts';
import { createBundle } from '../../src/bundle/write/create.ts';
import type { Signer } from '../../src/evidence/documents/record.ts';
import type { CertifiedBundle } from '../../src/report/certification.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { makeCase, type TestCase } from './case.ts';
import { tempFolder } from './world.ts';

export interface Accepted {
  path: string;
  bundle: CertifiedBundle;
  signers: Signer[];
}

/** Two replays that agree, signed evidence, one custody entry; `more` belongs to the policy. */
export async function acceptedBundle(
  change?: (made: TestCase) => Promise<void>,
  more?: Record<string, unknown>,
): Promise<Accepted> {
  const made = await makeCase(['a', 'a'], {}, more);
  await change?.(made);
  const path = join(tempFolder(), 'case.tar');
  const collected = await collect(made.record, new BlobStore(made.out), made.out, 'full');
  await createBundle(path, collected, { state: 'full' });
  const { verification, opened, evidence } = await examineBundle(path);
  expect(verification.problems).toEqual([]);
  const { root, record, document, sizeBytes, attested } = opened!;
  const bundle = { root, record, archiveBytes: sizeBytes, contents: document, evidence, attested };
  return { path, bundle, signers: verification.signers };
}
