/** The bundle's texts for people: made from its contents, so that a verifier can make them again and compare. */

import { type Digest, digestOf } from '../../base/digest.ts';
import { itemAt } from '../../base/list.ts';
import type { JoinDocument } from '../../join/document.ts';
import type { Manifest } from '../../manifest/definition.ts';
import { bundleReport } from '../../report/bundle-html.ts';
import { custodyText } from '../../report/custody-txt.ts';
import { verifyInstructions } from '../../report/verify-txt.ts';
import type { ReplayRecord } from '../../verdict/record.ts';
import type { Attested } from '../custody/attested.ts';
import type { CaseDocument } from '../format/format.ts';

export type BundleTexts = [string, string][];

/**
 * Raised whenever the same contents would give other texts: a release can compare only texts of its own version, and
 * must not call a bundle of an older one a lie. A test holds it to the texts' digest.
 */
export const TEXTS_VERSION = 3;

/** The files below data/, in their order; in version 1 the report included the attachments. */
export function textNames(version: number): readonly string[] {
  return ['data/VERIFY.txt', ...(version === 1 ? [] : ['data/custody.txt']), 'data/report.html'];
}

/** The sources of the report: only contents below the root, which names the report. */
export interface ReportSources {
  document: CaseDocument;
  record: ReplayRecord;
  manifest: Manifest | undefined;
  /** The frames of its trace. */
  join?: JoinDocument | undefined;
  /** The bundle that this is a redaction of. */
  subject: Digest | undefined;
}

/** The report, made anew; what the case document says about the report itself is left out. */
export function reportOf({ document, record, manifest, join, subject }: ReportSources): string {
  const items = document.items.filter(({ role }) => role !== 'report');
  const contents = { ...document, items, ...(subject ? { subject } : {}) };
  return bundleReport(record, contents, manifest, join);
}

/** Names and contents of the files below data/, in their order; `root` is the root manifest's text. */
export function textsOf(root: string, attested: Attested, report: string): BundleTexts {
  const identity = digestOf(root);
  const texts = [verifyInstructions(identity, TEXTS_VERSION), custodyText(identity, attested), report];
  return textNames(TEXTS_VERSION).map((name, i) => [name, itemAt(texts, i)]);
}
