/** Evidence that a call names: files, and folders of them. */
import { statSync } from 'node:fs';

import { Fault } from '../base/fault.ts';
import { EVIDENCE_LIMITS } from '../base/limits.ts';
import { Refusal } from '../evidence/common/refusal.ts';
import { evidenceIn } from '../evidence/verify/find.ts';
import type { SourceFile } from '../evidence/verify/verify.ts';
import { readNamed } from './read-named.ts';

/** The files that were named, and those in folders that were named. */
export async function evidenceFiles(names: readonly string[]): Promise<SourceFile[]> {
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
