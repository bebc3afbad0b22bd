/** The public conformance suite's bundle cases, each turned into a policy and a call, as its README says. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { digestOf } from '../../src/base/digest.ts';
import { EVIDENCE_LIMITS } from '../../src/base/limits.ts';
import type { EvidenceRecord } from '../../src/evidence/documents/record.ts';
import { wantDigest } from '../../src/evidence/documents/subject.ts';
import { Trust } from '../../src/evidence/trust/trust.ts';
import { verifyEvidence } from '../../src/evidence/verify/verify.ts';
import { type Policy, parsePolicy } from '../../src/policy/policy.ts';

const FOLDER = process.env.REENACT_CASES
  ? join(process.env.REENACT_CASES, 'sigstore-conformance', 'bundle-verify')
  : '';

const NOW: number = Date.parse('2026-11-21T00:00:00Z');

const IDENTITY =
  'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main';
const ISSUER = 'https://token.actions.githubusercontent.com';

export interface Case {
  name: string;
  bundle: Buffer;
  artifact: Buffer;
  policy: () => Promise<Policy>;
}

/** All cases, or none where the collection is not there; the limit keeps a broken folder from hanging a test. */
export function conformanceCases(): Case[] {
  if (!FOLDER || !existsSync(FOLDER)) return [];
  return readdirSync(FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const folder = join(FOLDER, name);
      const read = (file: string, otherwise: string): string =>
        existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8').trim() : otherwise;
      const artifact = join(folder, existsSync(join(folder, 'artifact')) ? 'artifact' : '../a.txt');
      const authority = existsSync(join(folder, 'key.pub'))
        ? { id: 'key', key: { path: 'key.pub' }, transparency: 'required' }
        : { id: 'ci', keyless: { issuer: read('issuer', ISSUER), subject: read('identity', IDENTITY) } };
      const document = {
        version: 1,
        ...(existsSync(join(folder, 'trusted_root.json')) ? { trust: { root: 'trusted_root.json' } } : {}),
        authorities: [authority],
      };
      return {
        name,
        bundle: readFileSync(join(folder, 'bundle.sigstore.json')),
        artifact: readFileSync(artifact),
        policy: () => parsePolicy(JSON.stringify(document), name, folder),
      };
    });
}

/** Verifies a case's bundle, or other bytes in its place. */
export async function verifyCase(
  one: Case,
  bundle: Buffer = one.bundle,
  trust?: Trust,
): Promise<EvidenceRecord> {
  if (bundle.length > EVIDENCE_LIMITS.fileBytes) throw new Error('a case is too large');
  return verifyEvidence([{ name: 'bundle.sigstore.json', bytes: bundle }], {
    trust: trust ?? new Trust(await one.policy()),
    wanted: { kind: 'listed', subjects: [wantDigest('artifact', digestOf(one.artifact))] },
    artifact: one.artifact,
    nowMs: NOW,
  });
}
