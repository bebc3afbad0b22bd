/** Reads files that a stranger may have put there: one open, regular files only, within the size limit. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

import { EVIDENCE_LIMITS } from '../../base/limits.ts';
import { errnoOf } from '../../base/thrown.ts';

/** A name that cannot be opened counts as missing: a stranger may have chosen it. */
export const ABSENT: readonly string[] = [
  'ENOENT',
  'ELOOP',
  'ENOTDIR',
  'ENXIO',
  'ENAMETOOLONG',
  'EACCES',
  'EPERM',
];

/** The whole of a regular file, by one open; undefined if it is none, a link, or too large. */
export async function readEvidenceBytes(path: string): Promise<Buffer | undefined> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    // O_NONBLOCK: a FIFO in the folder must not hang the run; O_NOFOLLOW: nor a link lead out of it.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (ABSENT.includes(errnoOf(error))) return undefined;
    throw error;
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > EVIDENCE_LIMITS.fileBytes) return undefined;
    return await file.readFile();
  } finally {
    await file.close();
  }
}
