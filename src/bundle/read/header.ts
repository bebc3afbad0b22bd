/** The part before and around a bundle's contents: layout, index, root manifest, and what is attached to it. */
import { type Digest, digestOf } from '../../base/digest.ts';
import { LIMITS } from '../../base/limits.ts';
import { itemAt, present } from '../../base/list.ts';
import {
  ATTACHED_BYTES,
  type Attachment,
  type AttachmentManifest,
  attachedBlobs,
  attachmentShape,
} from '../custody/attached.ts';
import {
  ARTIFACT_TYPE,
  blobName,
  type Descriptor,
  EMPTY,
  EMPTY_CONFIG,
  indexShape,
  manifestShape,
  OCI_LAYOUT,
  parseDocument,
} from '../format/format.ts';
import { Refused } from '../format/refused.ts';
import { type ContentReader, nextMember } from './contents.ts';
import { type Input, readMember } from './read.ts';

/** A small member of this name, kept. */
export function expectFile(input: Input, name: string, maxBytes: number): Buffer {
  const sizeBytes = nextMember(input, name);
  if (sizeBytes > maxBytes)
    throw new Refused('manifest_form', `${name} is ${sizeBytes} bytes, over the limit of ${maxBytes}`);
  return present(readMember(input, sizeBytes, true).bytes);
}

/** Of two members with one name, tools that unpack keep the last, and a bag may list neither: each blob may occur only once. */
function refuseTwice(blobs: Digest[]): void {
  const seen = new Set<Digest>();
  for (const digest of blobs) {
    if (seen.has(digest)) throw new Refused('member_unexpected', `${digest} is named twice`);
    seen.add(digest);
  }
}

/** A manifest that the index names, with the digest and size stated there. */
function expectManifest(input: Input, { digest, size }: Descriptor): Buffer {
  const bytes = expectFile(input, blobName(digest), LIMITS.imageDocumentBytes);
  if (digestOf(bytes) !== digest || bytes.length !== size)
    throw new Refused('blob_digest', `the manifest ${digest} is ${digestOf(bytes)} of ${bytes.length} bytes`);
  return bytes;
}

/** What was read before the contents. */
export interface BundleHeader {
  /** Digest of index.json. */
  index: Digest;
  rootBytes: Buffer;
  layers: Descriptor[];
  subject?: Descriptor;
  attached: (AttachmentManifest & { text: string })[];
}

/** Layout, index and manifests: exactly one root, and what is attached to it. */
export function readHeader(input: Input): BundleHeader {
  const small = LIMITS.imageDocumentBytes;
  if (expectFile(input, 'oci-layout', small).toString() !== OCI_LAYOUT)
    throw new Refused('manifest_form', 'oci-layout is not of version 1.0.0');
  const index = expectFile(input, 'index.json', small);
  const { manifests } = parseDocument(index, indexShape, 'index.json', small);
  const root = itemAt(manifests, 0);
  const others = manifests.slice(1).map(({ artifactType, ...entry }) => {
    if (artifactType === ARTIFACT_TYPE) throw new Refused('manifest_form', 'index.json names two roots');
    return { ...entry, artifactType };
  });
  const rootBytes = expectManifest(input, root);
  const { layers, subject } = parseDocument(rootBytes, manifestShape, 'the root manifest', small);
  const attached = others.map((entry) => {
    const bytes = expectManifest(input, entry);
    const where = `the attached manifest ${entry.digest}`;
    const manifest = parseDocument(bytes, attachmentShape(entry.artifactType, root), where, small);
    return { ...manifest, text: bytes.toString() };
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
export function readAttachments(reader: ContentReader, { attached, layers }: BundleHeader): Attachment[] {
  const named = attached.flatMap((manifest) => manifest.layers);
  const bytes = new Map<Digest, Buffer>();
  for (const blob of attachedBlobs(named, layers)) {
    if (blob.size > ATTACHED_BYTES)
      throw new Refused('manifest_form', `an attachment is ${blob.size} bytes, over ${ATTACHED_BYTES}`);
    bytes.set(blob.digest, present(reader.blob(blob, true, false)));
  }
  // Each is read and checked, so one that is named again and again would cost endless work.
  refuseTwice(attached.map((manifest) => itemAt(manifest.layers, 0).digest));
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
