/** A bundle as it is read: layout and index first, then every blob, then the bag, each compared with what must be there. */
import { type Digest, digestOf, startDigest } from '../../base/digest.ts';
import { showProblem } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { itemAt, present } from '../../base/list.ts';
import type { Manifest } from '../../manifest/definition.ts';
import { parseManifest } from '../../manifest/parse.ts';
import type { Extent } from '../../objects/common/bytes.ts';
import { type ReplayRecord, recordShape } from '../../verdict/record.ts';
import { type Attachment, inOrder } from '../custody/attached.ts';
import { type Attested, readAttested } from '../custody/attested.ts';
import { type Payload, textsVersionOf } from '../format/bag.ts';
import { blobName, type CaseDocument, type Descriptor, parseDocument } from '../format/format.ts';
import { Refused } from '../format/refused.ts';
import { secondThread } from '../format/second-thread.ts';
import {
  ContentReader,
  compareContents,
  isArchive,
  missingItems,
  nextMember,
  type Problems,
  type SinkOf,
} from './contents.ts';
import { foreignText } from './foreign.ts';
import { expectFile, readAttachments, readHeader } from './header.ts';
import { backFiles, bagOf, frontFiles, type Layout } from './layout.ts';
import { Input, readMember } from './read.ts';
import { type BundleTexts, reportOf, TEXTS_VERSION, textNames, textsOf } from './texts.ts';
import { readTraced, type Traced } from './traced.ts';

export interface Opened {
  root: Digest;
  rootText: string;
  layers: Descriptor[];
  /** The bundle that this is a redaction of. */
  subject: Descriptor | undefined;
  document: CaseDocument;
  /** In place of something withheld, its commitment is used like a digest: equal things stay equal. */
  record: ReplayRecord;
  /** The record as it is in the bundle. */
  shown: ReplayRecord;
  /** The manifest the record is about, parsed; undefined where the record names none. */
  manifest: Manifest | undefined;
  /** The manifest as it is in the bundle. */
  shownManifest: Manifest | undefined;
  /** The bundle's trace, if it has one. */
  traced: Traced | undefined;
  attachments: Attachment[];
  attested: Attested;
  /** Bytes of documents, by digest. */
  kept: Map<Digest, Buffer>;
  /** Where in the file symbol files lie. */
  located: Map<Digest, Extent[]>;
  /** Where in the file the layers’ blobs stand. */
  blobs: { from: number; to: number };
  /** The report as it is in the bundle; for bundles whose root names none, as this release makes it. */
  report: string;
  /** Whether texts and report have this release's version, and were compared. */
  textsCompared: boolean;
  sizeBytes: number;
  /** Errors beside the one that ended the reading. */
  problems: Problems;
}

/** Commitments, used like digests. */
export function unveil(bytes: Buffer, redacted: boolean): Buffer {
  return redacted ? Buffer.from(bytes.toString('utf8').replaceAll('"hmac-sha256:', '"sha256:')) : bytes;
}

/** The manifest as it was replayed; a malformed one, or another than the record names, makes the bundle unreadable. */
function parseManifestOf(
  record: ReplayRecord,
  kept: Map<Digest, Buffer>,
  redacted: boolean,
): Manifest | undefined {
  const bytes = record.manifest_sha256 ? kept.get(record.manifest_sha256) : undefined;
  if (!bytes) return undefined;
  const parsed = parseManifest(unveil(bytes, redacted));
  if (!parsed.ok)
    throw new Refused(
      'manifest_form',
      `the replay manifest: ${parsed.problems.slice(0, 5).map(showProblem).join('; ')}`,
    );
  return parsed.value.manifest;
}

/** The layers’ blobs; archives are hashed in a second thread where they are large, and their members in this one. */
async function readLayers(input: Input, reader: ContentReader, layers: Descriptor[]): Promise<CaseDocument> {
  const archived = layers.filter(isArchive).reduce((sum, { size }) => sum + size, 0);
  const second = secondThread(input.fd, archived);
  try {
    const document = reader.case(layers[0]);
    const found = layers.slice(1).map((layer) => ({
      expected: layer.digest,
      digest: reader.layer(layer, second ?? startDigest()),
    }));
    reader.endParts();
    // The other thread may have read other bytes than this one if another process writes to the file meanwhile:
    // every byte was checked here too, by the digests and headers of an archive’s members.
    for (const { expected, digest } of found) {
      const actual = await digest;
      if (actual !== expected) throw new Refused('blob_digest', `${blobName(expected)} holds ${actual}`);
    }
    return document;
  } finally {
    await second?.close();
  }
}

/** What is wrong with the version of a text; a newer release may show things that this one cannot check. */
function newerText(version: number, what: string): Problems {
  return version > TEXTS_VERSION
    ? [{ code: 'text_differs', message: `a newer release made the ${what}: verify with that` }]
    : [];
}

/**
 * The bag is compared with the members, and the texts with those that this release makes of the contents, if they are
 * of its own version; the page that people open is always the report inside.
 */
function readBack(
  input: Input,
  layout: Layout,
  texts: BundleTexts,
  named: boolean,
): { problems: Problems; textsVersion: number } {
  const bagNames = bagOf(layout, [], 0).map(([name]) => name);
  const bag = bagNames.map((name) => expectFile(input, name, LIMITS.imageDocumentBytes).toString());
  const textsVersion = textsVersionOf(bag[bagNames.indexOf('bag-info.txt')]!);
  const payload = textNames(textsVersion).map((name): Payload => {
    const sizeBytes = nextMember(input, name);
    return { name, sizeBytes, sha256: readMember(input, sizeBytes, false).sha256 };
  });
  const problems: Problems = [];
  for (const [i, [name, text]] of bagOf(layout, payload, textsVersion).entries())
    if (bag[i] !== text)
      problems.push({ code: 'bag_mismatch', message: `${name} is not what is made of the files` });
  problems.push(...newerText(textsVersion, 'texts'));
  if (textsVersion === 0)
    problems.push({ code: 'text_differs', message: 'bag-info.txt does not say which texts these are' });
  const made = new Map(texts);
  for (const { name, sha256 } of payload)
    if (textsVersion === TEXTS_VERSION || (named && name === 'data/report.html'))
      if (sha256 !== digestOf(made.get(name)!))
        problems.push({ code: 'text_differs', message: `${name} is not what is made of the contents` });
  return { problems, textsVersion };
}

/** The report that the root names, compared with the one that this release makes of the contents, if it is of its own version. */
function readReport(
  { items, report_version: version }: CaseDocument,
  kept: Map<Digest, Buffer>,
  made: string,
  problems: Problems,
): string {
  const reports = items.filter(({ role }) => role === 'report');
  if (reports.length !== (version === undefined ? 0 : 1))
    throw new Refused('manifest_form', 'the case document lists a report without its version, or two');
  const [item] = reports;
  if (!item || version === undefined) return made;
  const bytes = kept.get(item.sha256);
  if (!bytes) throw new Refused('content_missing', `the report ${item.sha256} is not there, or too large`);
  problems.push(...newerText(version, 'report'));
  if (version === TEXTS_VERSION && digestOf(made) !== item.sha256)
    problems.push({ code: 'text_differs', message: 'the report is not what is made of the contents' });
  return bytes.toString();
}

/** Everything up to the bag, and the parts from which the members after it are made. */
async function readInside(
  input: Input,
  sinkOf?: SinkOf,
): Promise<{ opened: Omit<Opened, 'textsCompared'>; layout: Layout; texts: BundleTexts }> {
  const header = readHeader(input);
  const { layers, subject, rootBytes } = header;
  const rootText = rootBytes.toString();
  const reader = new ContentReader(input, sinkOf);
  for (const { layers: contents } of header.attached) for (const { digest } of contents) reader.want(digest);
  const from = input.at;
  const document = await readLayers(input, reader, layers);
  const blobs = { from, to: input.at };
  const attachments = readAttachments(reader, header);
  const attested = await readAttested(rootText, attachments);
  const problems = compareContents(document, reader.found);
  const bytes = reader.kept.get(document.record_sha256);
  if (!bytes) throw new Refused('content_missing', `the record ${document.record_sha256} is not there`);
  const redacted = subject !== undefined;
  const record = parseDocument<ReplayRecord>(
    unveil(bytes, redacted),
    recordShape,
    'the record',
    LIMITS.documentBytes,
  );
  const shown = redacted ? (JSON.parse(bytes.toString('utf8')) as ReplayRecord) : record;
  if ((document.withheld !== undefined) !== redacted)
    problems.push({
      code: 'manifest_form',
      message: 'a bundle withholds something if and only if it names another as its subject',
    });
  problems.push(...missingItems(record, document));
  const manifest = parseManifestOf(record, reader.kept, redacted);
  const shownManifest =
    manifest && redacted
      ? (JSON.parse(present(reader.kept.get(record.manifest_sha256!)).toString('utf8')) as Manifest)
      : manifest;
  const traced = readTraced(document, reader.kept, (one) => unveil(one, redacted), problems);
  const layout = { root: rootText, layers, attachments };
  const said = { record: shown, manifest: shownManifest, join: traced?.shown, subject: subject?.digest };
  const report = readReport(document, reader.kept, reportOf({ document, ...said }), problems);
  const texts = textsOf(rootText, attested, report);
  const [, index] = itemAt(frontFiles({ ...layout, attachments: inOrder(attachments) }), 1);
  if (digestOf(index) !== header.index)
    problems.push({ code: 'manifest_form', message: 'index.json is not in canonical form' });
  const opened = {
    root: digestOf(rootBytes),
    rootText,
    layers,
    subject,
    document,
    record,
    shown,
    manifest,
    shownManifest,
    traced,
    attachments,
    attested,
    report,
    kept: reader.kept,
    located: reader.located,
    blobs,
    sizeBytes: input.at,
    problems,
  };
  return { opened, layout, texts };
}

async function readAll(input: Input, sinkOf: SinkOf | undefined): Promise<Opened> {
  const { opened, layout, texts } = await readInside(input, sinkOf);
  const { report_version: version } = opened.document;
  const { problems, textsVersion } = readBack(input, layout, texts, version !== undefined);
  const more = input.header();
  if (more) throw new Refused('member_unexpected', `${more.name} is not part of a bundle`);
  const textsCompared = [textsVersion, version ?? TEXTS_VERSION].every((one) => one === TEXTS_VERSION);
  return { ...opened, textsCompared, problems: [...opened.problems, ...problems], sizeBytes: input.at };
}

/** The members that must follow in a bundle that ends before its bag; throws Refused as `openBundle` does. */
export async function missingEnd(path: string): Promise<[string, string][]> {
  const input = new Input(path);
  try {
    const { layout, texts } = await readInside(input);
    return backFiles(layout, texts);
  } finally {
    input.close();
  }
}

/** Reads a bundle to its end; throws Refused where its form is wrong. `sinkOf` is given every content. */
export async function openBundle(path: string, sinkOf?: SinkOf): Promise<Opened> {
  const input = new Input(path);
  try {
    return await readAll(input, sinkOf);
  } catch (error) {
    const foreign = error instanceof Refused ? foreignText(path) : undefined;
    throw foreign === undefined ? error : new Refused('not_a_bundle', foreign, error);
  } finally {
    input.close();
  }
}
