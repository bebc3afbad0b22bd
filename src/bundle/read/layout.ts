/** What surrounds a bundle's blobs: layout, index and manifests before them, the bag and the texts after them. */
import { digestOf } from '../../base/digest.ts';
import type { Attachment } from '../custody/attached.ts';
import { attachedBlobs } from '../custody/attached.ts';
import { type BagFile, bagFileOf, bagFiles, type Payload, payloadOf } from '../format/bag.ts';
import { blobName, type Descriptor, EMPTY_CONFIG, layoutIndex, OCI_LAYOUT } from '../format/format.ts';
import { type BundleTexts, TEXTS_VERSION } from './texts.ts';

/** Everything but the blobs themselves. */
export interface Layout {
  /** The root manifest's text. */
  root: string;
  layers: Descriptor[];
  attachments: Attachment[];
}

/** The members before the blobs, in their order. */
export function frontFiles({ root, attachments }: Layout): [string, string][] {
  return [
    ['oci-layout', OCI_LAYOUT],
    ['index.json', layoutIndex(root, attachments)],
    ...[root, ...attachments.map(({ manifest }) => manifest)].map((text): [string, string] => [
      blobName(digestOf(text)),
      text,
    ]),
    [blobName(digestOf(EMPTY_CONFIG)), EMPTY_CONFIG],
  ];
}

/** The attachments' blobs, which stand after the layers. */
export function attachedFiles({ layers, attachments }: Layout): [string, Buffer][] {
  const named = attachments.flatMap(({ contents }) =>
    contents.map((bytes) => ({ digest: digestOf(bytes), bytes })),
  );
  return attachedBlobs(named, layers).map(({ digest, bytes }) => [blobName(digest), bytes]);
}

/** The bag's files, which stand after the blobs; `payload` is what people read, and stands after them. */
export function bagOf(layout: Layout, payload: Payload[], textsVersion: number): [string, string][] {
  const files: BagFile[] = [
    ...frontFiles(layout).map(([name, text]) => bagFileOf(name, text)),
    ...layout.layers.map(({ digest }) => ({ name: blobName(digest), sha256: digest })),
    ...attachedFiles(layout).map(([name, bytes]) => bagFileOf(name, bytes)),
  ];
  return bagFiles(digestOf(layout.root), files, payload, textsVersion);
}

/** The members after the blobs: the bag and what people read. */
export function backFiles(layout: Layout, texts: BundleTexts): [string, string][] {
  const payload = texts.map(([name, text]) => payloadOf(name, text));
  return [...bagOf(layout, payload, TEXTS_VERSION), ...texts];
}
