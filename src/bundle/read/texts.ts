/** The bundle's texts for people: made of what is inside, so that a verifier makes them again and compares. */
import { digestOf } from '../../base/digest.ts';
import type { JoinDocument } from '../../join/document.ts';
import type { Manifest } from '../../manifest/definition.ts';
import { bundleReport } from '../../report/bundle-html.ts';
import { verifyInstructions } from '../../report/verify-txt.ts';
import type { ReplayRecord } from '../../verdict/record.ts';
import type { Attested } from '../custody/attested.ts';
import type { CaseDocument, Descriptor } from '../format/format.ts';

export type BundleTexts = [string, string][];

/**
 * Raised whenever the same contents would give other texts: a release can compare only the texts it makes itself, and
 * must not call a bundle of an older one a lie. A test holds it to the texts' digest.
 */
export const TEXTS_VERSION = 2;

/** The files below data/, in their order. */
export const TEXT_NAMES = ['data/VERIFY.txt', 'data/report.html'] as const;

/** What the texts are made of. */
export interface TextSources {
  /** The root manifest's text. */
  root: string;
  layers: Descriptor[];
  document: CaseDocument;
  record: ReplayRecord;
  manifest: Manifest | undefined;
  /** The frames of the trace it is of. */
  join?: JoinDocument | undefined;
  attested: Attested;
}

/** Names and contents of the files below data/, in their order. */
export function textsOf(sources: TextSources): BundleTexts {
  const { root, layers, document, record, manifest, join, attested } = sources;
  const subject = (JSON.parse(root) as { subject?: Descriptor }).subject?.digest;
  const contents = { ...document, ...attested, ...(subject ? { subject } : {}) };
  const blobs = layers.map(({ digest }) => digest);
  const identity = digestOf(root);
  const texts = [
    verifyInstructions(identity, record, contents, blobs, join),
    bundleReport(identity, record, contents, manifest, join),
  ];
  return TEXT_NAMES.map((name, i) => [name, texts[i]!]);
}
