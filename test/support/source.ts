/** Certificates of a reusable workflow, and policies that name it: whose source was built is in extensions alone. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { EvidenceRecord } from '../../src/evidence/documents/record.ts';
import { Trust } from '../../src/evidence/trust/trust.ts';
import { parsePolicy } from '../../src/policy/policy.ts';
import { IDENTITY, type LeafOptions, TestSigstore } from './sigstore.ts';
import { verifyAs } from './verify.ts';
import { tempFolder } from './world.ts';

const sigstore = new TestSigstore();
const folder = tempFolder();
writeFileSync(join(folder, 'root.json'), JSON.stringify(sigstore.trustedRoot()));

/** A reusable workflow of an owner of its own. */
export const SHARED: typeof IDENTITY = {
  issuer: IDENTITY.issuer,
  subject: 'https://github.com/shared/workflows/.github/workflows/build.yml@refs/tags/v1',
};
export type Says = NonNullable<LeafOptions['says']>;

/** What Fulcio writes of a build of this owner's repository, called app. */
export const builtFrom = (owner: string, id: string): Says => [
  [12, `https://github.com/${owner}/app`],
  [14, 'refs/heads/main'],
  [16, `https://github.com/${owner}`],
  [17, id],
  [11, 'github-hosted'],
  [20, 'push'],
];

/** A policy that names one identity. */
export async function trustIn(keyless: object): Promise<Trust> {
  const document = {
    version: 1,
    trust: { root: 'root.json' },
    authorities: [{ id: 'ci', keyless }],
    require: [{ subjects: ['manifest'] }],
  };
  return new Trust(await parsePolicy(JSON.stringify(document), 'test', folder));
}

/** Verifies a bundle of the shared workflow, or of what is given over it. */
export async function verifyBuild(keyless: object, leaf: LeafOptions): Promise<EvidenceRecord> {
  const record = await verifyAs(await trustIn(keyless), sigstore.bundle({ ...SHARED, ...leaf }));
  if (record.verdict === 'error') throw new Error(record.message);
  return record;
}
