/** What --evidence and --policy name: files of evidence, folders of them, and whose word counts. */
import { statSync } from 'node:fs';
import { Fault } from '../../base/fault.ts';
import { EVIDENCE_LIMITS } from '../../base/limits.ts';
import { Refusal } from '../../evidence/common/refusal.ts';
import { loadTrust, type Trust } from '../../evidence/trust/trust.ts';
import { evidenceIn } from '../../evidence/verify/find.ts';
import type { SourceFile } from '../../evidence/verify/verify.ts';
import { readNamed } from '../../library/read-named.ts';
import { loadPolicy, type Policy } from '../../policy/policy.ts';
import type { Arguments } from '../arguments.ts';

/** The policy of --policy, which must name signers: evidence is only worth as much as they are. */
export async function signersPolicy(a: Arguments): Promise<Policy> {
  const name = a.text('policy');
  if (name === undefined)
    throw new Fault('usage', 'name a policy: --policy P (reenact policy init makes one)');
  const policy = await loadPolicy(name);
  if (policy.authorities.length === 0)
    throw new Fault(
      'usage',
      `the policy ${name} names no authority that may sign: reenact policy init makes one that does`,
    );
  return policy;
}

/** The trust of --policy. */
export async function trustOf(a: Arguments): Promise<Trust> {
  return loadTrust(await signersPolicy(a));
}

/** The files that were named, and those in folders that were named. */
export async function evidenceFiles(names: string[]): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const name of names) {
    if (!statSync(name, { throwIfNoEntry: false })?.isDirectory()) {
      files.push({ name, bytes: await readNamed(name, EVIDENCE_LIMITS.fileBytes) });
      continue;
    }
    try {
      files.push(...(await evidenceIn(name)));
    } catch (error) {
      if (error instanceof Refusal) throw new Fault('usage', error.message, error, error.next);
      throw error;
    }
  }
  return files;
}
