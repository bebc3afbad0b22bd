/** The bundle's texts for people: made of what is inside, so that a verifier makes them again and compares. */
import type { Digest } from '../base/digest.ts';
import type { Manifest } from '../manifest/definition.ts';
import { bundleReport } from '../report/bundle-html.ts';
import { verifyInstructions } from '../report/verify-txt.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import type { CaseDocument, Descriptor } from './format.ts';

export type BundleTexts = [string, string][];

/** Names and contents of the files below data/, in their order. */
export function textsOf(
  root: Digest,
  record: ReplayRecord,
  document: CaseDocument,
  layers: Descriptor[],
  manifest: Manifest | undefined,
): BundleTexts {
  const blobs = layers.map(({ digest }) => digest);
  return [
    ['data/VERIFY.txt', verifyInstructions(root, record, document.items, blobs)],
    ['data/report.html', bundleReport(root, record, document, manifest)],
  ];
}
