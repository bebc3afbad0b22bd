/** What is attached to a bundle: OCI manifests whose subject is its root, so that its identity does not change. */
import { canonicalJson } from '../../base/canonical-json.ts';
import { type Digest, digestOf } from '../../base/digest.ts';
import { memberOf } from '../../base/json.ts';
import { array, closed, oneOf, type Shape } from '../../base/shape.ts';
import {
  ATTACHED,
  type AttachedType,
  type Descriptor,
  digest,
  EMPTY,
  emptyConfig,
  MANIFEST_TYPE,
  manifestDescriptor,
  manifestReference,
  size,
} from '../format/format.ts';

/** Media types of what attachments hold. */
const CONTENTS = {
  envelope: 'application/vnd.dsse.envelope.v1+json',
  key: 'application/x-pem-file',
  timestamp: 'application/timestamp-reply',
} as const;

/** One attachment: its manifest, and the bytes it names in their order. */
export interface Attachment {
  artifactType: AttachedType;
  manifest: string;
  contents: Buffer[];
}

function attachmentOf(root: string, artifactType: AttachedType, contents: [string, Buffer][]): Attachment {
  const layers = contents.map(([mediaType, bytes]) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  }));
  const manifest = canonicalJson({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType,
    config: EMPTY,
    layers,
    subject: manifestDescriptor(root),
  });
  return { artifactType, manifest, contents: contents.map(([, bytes]) => bytes) };
}

/** A signed event and the public key it was signed with, as PEM; `root` is the root manifest's text. */
export function attachEvent(root: string, envelope: Buffer, key: Buffer): Attachment {
  return attachmentOf(root, ATTACHED.event, [
    [CONTENTS.envelope, envelope],
    [CONTENTS.key, key],
  ]);
}

/** An RFC 3161 reply. */
export function attachTimestamp(root: string, reply: Buffer): Attachment {
  return attachmentOf(root, ATTACHED.timestamp, [[CONTENTS.timestamp, reply]]);
}

/** Bytes of one attached content. */
export const ATTACHED_BYTES: number = 1 << 20;

/** An attachment's manifest, after its form was checked. */
export interface AttachmentManifest {
  schemaVersion: 2;
  mediaType: typeof MANIFEST_TYPE;
  artifactType: AttachedType;
  config: Descriptor;
  layers: Descriptor[];
  subject: Descriptor;
}

/** The form of an attachment's manifest: of its type, about this root and no other. */
export function attachmentShape(type: AttachedType, root: Descriptor): Shape<AttachmentManifest> {
  const kinds = type === ATTACHED.event ? [CONTENTS.envelope, CONTENTS.key] : [CONTENTS.timestamp];
  const layer = closed({ mediaType: oneOf<string>(...kinds), digest, size });
  return closed({
    schemaVersion: oneOf(2),
    mediaType: oneOf(MANIFEST_TYPE),
    artifactType: oneOf(type),
    config: emptyConfig,
    layers: array(layer, { min: kinds.length, max: kinds.length }),
    subject: {
      ...manifestReference,
      check(value, path, problems) {
        manifestReference.check(value, path, problems);
        if (memberOf(value, 'digest') !== root.digest || memberOf(value, 'size') !== root.size)
          problems.push({ path, message: `is not the root ${root.digest} of ${root.size} bytes` });
      },
    },
  });
}

/** The distinct blobs of attachments that are not layers as well, in their order in the archive. */
export function attachedBlobs<T extends { digest: Digest }>(named: T[], layers: Descriptor[]): T[] {
  const there = new Set(layers.map((layer) => layer.digest));
  const distinct = new Map(named.filter((one) => !there.has(one.digest)).map((one) => [one.digest, one]));
  return [...distinct.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
}

/** The order of attachments in a bundle: events as they follow each other, then timestamps by digest. */
export function inOrder(attachments: Attachment[]): Attachment[] {
  const of = (type: AttachedType): Attachment[] =>
    attachments.filter(({ artifactType }) => artifactType === type);
  const byDigest = of(ATTACHED.timestamp).map((one) => ({ one, digest: digestOf(one.manifest) }));
  byDigest.sort((a, b) => (a.digest < b.digest ? -1 : 1));
  return [...of(ATTACHED.event), ...byDigest.map(({ one }) => one)];
}
