/** A bundle as it is read: layout and index first, then every blob, then the bag, each compared with what must be there. */
import { type Digest, digestOf } from '../base/digest.ts';
import { showProblem } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import type { Manifest } from '../manifest/definition.ts';
import { parseManifest } from '../manifest/parse.ts';
import { type ReplayRecord, recordShape } from '../verdict/record.ts';
import {
  ATTACHED_BYTES,
  type Attachment,
  type AttachmentManifest,
  attachedBlobs,
  attachmentShape,
  inOrder,
} from './attached.ts';
import { type Attested, readAttested } from './attested.ts';
import {
  ContentReader,
  compareContents,
  missingItems,
  nextMember,
  type Problems,
  type SinkOf,
} from './contents.ts';
import {
  type AttachedType,
  blobName,
  type CaseDocument,
  type Descriptor,
  EMPTY,
  EMPTY_CONFIG,
  indexShape,
  manifestShape,
  OCI_LAYOUT,
  parseDocument,
} from './format.ts';
import { backFiles, frontFiles } from './layout.ts';
import { Input, readMember } from './read.ts';
import { Refused } from './refused.ts';
import { textsOf } from './texts.ts';

export interface Opened {
  root: Digest;
  rootText: string;
  layers: Descriptor[];
  /** The bundle that this is a redaction of. */
  subject: Descriptor | undefined;
  document: CaseDocument;
  /** Where something was withheld, its commitment stands as if it were a digest: equal things stay equal. */
  record: ReplayRecord;
  /** The record as it stands inside. */
  shown: ReplayRecord;
  /** The manifest the record is about, parsed; undefined where the record names none. */
  manifest: Manifest | undefined;
  /** The manifest as it stands inside. */
  shownManifest: Manifest | undefined;
  attachments: Attachment[];
  attested: Attested;
  /** Bytes of documents, by digest. */
  kept: Map<Digest, Buffer>;
  /** Where in the file the layers’ blobs stand. */
  blobs: { from: number; to: number };
  sizeBytes: number;
  /** What is wrong beside what ended the reading. */
  problems: Problems;
}

/** A small member of this name, kept. */
function expectFile(input: Input, name: string, maxBytes: number): Buffer {
  const sizeBytes = nextMember(input, name);
  if (sizeBytes > maxBytes)
    throw new Refused('manifest_form', `${name} is ${sizeBytes} bytes, over the limit of ${maxBytes}`);
  return readMember(input, sizeBytes, true).bytes!;
}

/** Of two members of one name, tools that unpack keep the last and a bag may list neither: each blob stands once. */
function refuseTwice(blobs: Digest[]): void {
  const seen = new Set<Digest>();
  for (const digest of blobs) {
    if (seen.has(digest)) throw new Refused('member_unexpected', `${digest} is named twice`);
    seen.add(digest);
  }
}

interface IndexEntry extends Descriptor {
  artifactType: string;
}

/** A manifest that the index names, of the digest and size it says. */
function expectManifest(input: Input, { digest, size }: Descriptor): Buffer {
  const bytes = expectFile(input, blobName(digest), LIMITS.imageDocumentBytes);
  if (digestOf(bytes) !== digest || bytes.length !== size)
    throw new Refused('blob_digest', `the manifest ${digest} is ${digestOf(bytes)} of ${bytes.length} bytes`);
  return bytes;
}

interface Front {
  /** Digest of index.json. */
  index: Digest;
  rootBytes: Buffer;
  layers: Descriptor[];
  subject?: Descriptor;
  attached: (AttachmentManifest & { text: string })[];
}

/** Layout, index and manifests: exactly one root, and what is attached to it. */
function readFront(input: Input): Front {
  const small = LIMITS.imageDocumentBytes;
  if (expectFile(input, 'oci-layout', small).toString() !== OCI_LAYOUT)
    throw new Refused('manifest_form', 'oci-layout is not of version 1.0.0');
  const index = expectFile(input, 'index.json', small);
  const { manifests } = parseDocument<{ manifests: IndexEntry[] }>(index, indexShape, 'index.json', small);
  const [root, ...others] = manifests as [IndexEntry, ...IndexEntry[]];
  if (manifests.filter(({ artifactType }) => artifactType === root.artifactType).length > 1)
    throw new Refused('manifest_form', 'index.json names two roots');
  const rootBytes = expectManifest(input, root);
  const { layers, subject } = parseDocument<{ layers: Descriptor[]; subject?: Descriptor }>(
    rootBytes,
    manifestShape,
    'the root manifest',
    small,
  );
  const attached = others.map((entry) => {
    const bytes = expectManifest(input, entry);
    const shape = attachmentShape(entry.artifactType as AttachedType, root.digest);
    const where = `the attached manifest ${entry.digest}`;
    return { ...parseDocument<AttachmentManifest>(bytes, shape, where, small), text: bytes.toString() };
  });
  refuseTwice([
    EMPTY.digest,
    ...manifests.map(({ digest }) => digest),
    ...layers.map(({ digest }) => digest),
  ]);
  const config = expectFile(input, blobName(digestOf(EMPTY_CONFIG)), EMPTY_CONFIG.length);
  if (config.toString() !== EMPTY_CONFIG)
    throw new Refused('blob_digest', 'the empty configuration is not empty');
  return { index: digestOf(index), rootBytes, layers, attached, ...(subject ? { subject } : {}) };
}

/** The attachments with their contents: blobs after the layers, or among them. */
function readAttachments(reader: ContentReader, { attached, layers }: Front): Attachment[] {
  const named = attached.flatMap((manifest) => manifest.layers);
  const bytes = new Map<Digest, Buffer>();
  for (const blob of attachedBlobs(named, layers)) {
    if (blob.size > ATTACHED_BYTES)
      throw new Refused('manifest_form', `an attachment is ${blob.size} bytes, over ${ATTACHED_BYTES}`);
    bytes.set(blob.digest, reader.blob(blob, true, false)!);
  }
  return attached.map(({ artifactType, text, layers: contents }) => ({
    artifactType,
    manifest: text,
    contents: contents.map(({ digest, size }) => {
      const found = bytes.get(digest) ?? reader.kept.get(digest);
      if (found?.length !== size)
        throw new Refused('content_missing', `${digest}, which an attachment names, is not there`);
      return found;
    }),
  }));
}

/** Commitments as if they were digests. */
function unveil(bytes: Buffer, redacted: boolean): Buffer {
  return redacted ? Buffer.from(bytes.toString('utf8').replaceAll('"hmac-sha256:', '"sha256:')) : bytes;
}

/** The manifest as it was replayed; one that is none, or not the one that is named, makes the bundle unreadable. */
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

/** Everything up to the bag, and the members that must follow. */
async function readInside(
  input: Input,
  sinkOf?: SinkOf,
): Promise<{ opened: Opened; end: [string, string][] }> {
  const front = readFront(input);
  const { layers, subject, rootBytes } = front;
  const rootText = rootBytes.toString();
  const reader = new ContentReader(input, sinkOf);
  for (const { layers: contents } of front.attached) for (const { digest } of contents) reader.want(digest);
  const from = input.at;
  const document = reader.case(layers[0]);
  for (const layer of layers.slice(1)) reader.layer(layer);
  reader.endParts();
  const blobs = { from, to: input.at };
  const attachments = readAttachments(reader, front);
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
      ? (JSON.parse(reader.kept.get(record.manifest_sha256!)!.toString('utf8')) as Manifest)
      : manifest;
  const layout = { root: rootText, layers, attachments };
  const texts = textsOf({ ...layout, document, record: shown, manifest: shownManifest, attested });
  const [, [, index]] = frontFiles({ ...layout, attachments: inOrder(attachments) }) as [
    unknown,
    [string, string],
  ];
  if (digestOf(index) !== front.index)
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
    attachments,
    attested,
    kept: reader.kept,
    blobs,
    sizeBytes: input.at,
    problems,
  };
  return { opened, end: backFiles(layout, texts) };
}

async function readAll(input: Input, sinkOf: SinkOf | undefined): Promise<Opened> {
  const { opened, end } = await readInside(input, sinkOf);
  for (const [name, text] of end) {
    const { sha256 } = readMember(input, nextMember(input, name), false);
    if (sha256 !== digestOf(text))
      opened.problems.push({
        code: name.startsWith('data/') ? 'text_differs' : 'bag_mismatch',
        message: `${name} is not what is made of the contents`,
      });
  }
  const more = input.header();
  if (more) throw new Refused('member_unexpected', `${more.name} is not part of a bundle`);
  return { ...opened, sizeBytes: input.at };
}

/** The members that must follow in a bundle that ends before its bag; throws Refused as `openBundle` does. */
export async function missingEnd(path: string): Promise<[string, string][]> {
  const input = new Input(path);
  try {
    return (await readInside(input)).end;
  } finally {
    input.close();
  }
}

/** Reads a bundle to its end; throws Refused where it is not of the form. `sinkOf` is given every content. */
export async function openBundle(path: string, sinkOf?: SinkOf): Promise<Opened> {
  const input = new Input(path);
  try {
    return await readAll(input, sinkOf);
  } finally {
    input.close();
  }
}
