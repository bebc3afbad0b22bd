/** What bundle verify --certificate leaves: a folder with a draft certification and a provenance view, whole or not at all. */
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { asFault } from '../base/fault.ts';
import { syncFolder, writeWhole } from '../base/files.ts';
import { wantFree } from '../base/output.ts';
import { asideOf } from '../base/temporary.ts';
import type { ExaminedBundle } from '../bundle/verify/verify.ts';
import { caseUco } from '../report/case-uco.ts';
import { certification } from '../report/certification.ts';

/** Refuses a folder that is there, before anything is verified: a certificate never replaces another. */
export function wantNewFolder(folder: string): void {
  wantFree(folder);
}

/** Writes both files into a folder aside, then gives it its name; only for a bundle that was accepted. */
export async function writeCertificate(folder: string, examined: ExaminedBundle): Promise<void> {
  const { verification, opened, evidence } = examined;
  if (!verification.accepted || !opened) throw new Error('a bundle that was not accepted is never certified');
  const { root, shown: record, document, sizeBytes, subject, attested } = opened;
  const redaction = subject ? { subject: subject.digest } : {};
  const bundle = {
    root,
    archiveBytes: sizeBytes,
    record,
    contents: document,
    evidence,
    attested,
    ...redaction,
  };
  const files = { 'certification.txt': certification(bundle), 'case.jsonld': caseUco(bundle) };
  const target = resolve(folder);
  const aside = asideOf(target);
  try {
    await mkdir(aside);
    for (const [name, text] of Object.entries(files)) await writeWhole(join(aside, name), text);
    await rename(aside, target);
    await syncFolder(dirname(target));
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    throw asFault('out_failed', `${folder} cannot be written`, error);
  }
}
