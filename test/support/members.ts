/** Bundles put together by hand: members as they stand in the archive, and all that comes before the blobs. */
import { digestOf } from '../../src/base/digest.ts';
import {
  blobName,
  type Descriptor,
  EMPTY_CONFIG,
  layoutIndex,
  OCI_LAYOUT,
  ROLES,
  type Role,
  rootManifest,
} from '../../src/bundle/format/format.ts';
import { paddingBytes, tarHeader } from '../../src/bundle/format/tar.ts';

/** A member with its header and padding. */
export function member(name: string, content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  const header = tarHeader({ name, sizeBytes: bytes.length });
  return Buffer.concat([header, bytes, Buffer.alloc(paddingBytes(bytes.length))]);
}

export function layerOf(role: Role, content: string | Buffer): Descriptor {
  const size = Buffer.byteLength(content);
  return { mediaType: ROLES[role], digest: digestOf(content), size };
}

/** Layout, index, root manifest and empty configuration, for these layers. */
export function frontOf(layers: Descriptor[]): Buffer {
  const root = rootManifest(layers);
  const files = [
    ['oci-layout', OCI_LAYOUT],
    ['index.json', layoutIndex(root, [])],
    [blobName(digestOf(root)), root],
    [blobName(digestOf(EMPTY_CONFIG)), EMPTY_CONFIG],
  ] as const;
  return Buffer.concat(files.map(([name, text]) => member(name, text)));
}
