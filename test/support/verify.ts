/** Policies that trust keys made at run time, and verification under them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { EvidenceRecord } from '../../src/evidence/documents/record.ts';
import { wantDigest } from '../../src/evidence/documents/subject.ts';
import { Trust } from '../../src/evidence/trust/trust.ts';
import { type SourceFile, verifyEvidence } from '../../src/evidence/verify/verify.ts';
import { parsePolicy } from '../../src/policy/policy.ts';
import { SUBJECT, type TestKey } from './keys.ts';
import { tempFolder } from './world.ts';

/** A policy file's document in which each key is an authority k0, k1, …; `more` goes beside or over it. */
export async function trustOf(
  keys: TestKey[],
  more: Record<string, unknown> = {},
  perKey: Record<string, unknown> = {},
): Promise<Trust> {
  const folder = tempFolder();
  const authorities = keys.map(({ publicKey, algorithm }, i) => {
    writeFileSync(join(folder, `k${i}.pub`), publicKey.export({ type: 'spki', format: 'pem' }));
    return { id: `k${i}`, key: { path: `k${i}.pub`, alg: algorithm, ...perKey }, transparency: 'none' };
  });
  return new Trust(await parsePolicy(JSON.stringify({ version: 1, authorities, ...more }), 'test', folder));
}

const NOW_MS: number = Date.parse('2026-11-21T12:00:00Z');

/** Verifies one file's content (text, bytes or JSON) about SUBJECT. */
export function verifyAs(
  trust: Trust,
  content: unknown,
  o: Partial<Parameters<typeof verifyEvidence>[1]> & { more?: SourceFile[] } = {},
): Promise<EvidenceRecord> {
  const bytes = Buffer.isBuffer(content)
    ? content
    : Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  const { more = [], ...rest } = o;
  return verifyEvidence([{ name: 'e.json', bytes }, ...more], {
    trust,
    wanted: { kind: 'listed', subjects: [wantDigest('subject', SUBJECT)] },
    nowMs: NOW_MS,
    ...rest,
  });
}
