/** What a bundle is made of: names, media types, the root manifest and the case document (docs/bundle.md). */
import { canonicalJson } from '../base/canonical-json.ts';
import { DIGEST_PATTERN, type Digest, digestOf, hexOf } from '../base/digest.ts';
import { array, boolean, integer, object, oneOf, type Shape, string } from '../base/shape.ts';

const ARTIFACT_TYPE = 'application/vnd.reenact.audit-bundle.v1';
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';

/** Each role has a media type of its own, so that other tools can find what they look for. */
export const ROLES = {
  case: 'application/vnd.reenact.case.v1+json',
  record: 'application/vnd.reenact.record.v1+json',
  manifest: 'application/vnd.reenact.manifest.v1+json',
  input: 'application/vnd.reenact.input.v1',
  state: 'application/vnd.reenact.state.v1+json',
  evidence: 'application/vnd.reenact.evidence.v1',
  'evidence-record': 'application/vnd.reenact.evidence-record.v1+json',
  custody: 'application/vnd.reenact.custody.v1+json',
  policy: 'application/vnd.reenact.policy.v1+json',
  'policy-file': 'application/vnd.reenact.policy-file.v1',
  harness: 'application/vnd.reenact.harness.v1',
  image: 'application/vnd.reenact.image.v1',
  content: 'application/vnd.reenact.content.v1',
  pack: 'application/vnd.reenact.pack.v1+tar',
} as const;

export type Role = keyof typeof ROLES;

export interface Descriptor {
  mediaType: string;
  digest: Digest;
  size: number;
}

/** Something in the bundle, by what it is for; where it lies, among the blobs or in a pack, is no part of it. */
export interface Item {
  role: Exclude<Role, 'case' | 'pack'>;
  sha256: Digest;
  size: number;
  /** For people; of a record, a manifest or an input. */
  name?: string;
}

/** The case document: the bundle's table of contents. */
export interface CaseDocument {
  bundle_version: 1;
  /** Of the record this bundle is about. */
  record_sha256: Digest;
  /** How much of the states' contents is inside. */
  state: 'full' | 'changed' | 'none';
  image: boolean;
  items: Item[];
}

export const OCI_LAYOUT: string = canonicalJson({ imageLayoutVersion: '1.0.0' });
export const EMPTY_CONFIG = '{}';
const EMPTY: Descriptor = { mediaType: EMPTY_TYPE, digest: digestOf(EMPTY_CONFIG), size: 2 };

/** Where a blob stands in the archive. */
export function blobName(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

/** The root manifest's text; its digest is the bundle's identity. */
export function rootManifest(layers: Descriptor[]): string {
  return canonicalJson({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType: ARTIFACT_TYPE,
    config: EMPTY,
    layers,
  });
}

/** The layout's index: exactly one manifest, the root. */
export function layoutIndex(manifest: string): string {
  return canonicalJson({
    schemaVersion: 2,
    mediaType: INDEX_TYPE,
    manifests: [
      {
        mediaType: MANIFEST_TYPE,
        artifactType: ARTIFACT_TYPE,
        digest: digestOf(manifest),
        size: Buffer.byteLength(manifest),
      },
    ],
  });
}

const digest = string({ pattern: DIGEST_PATTERN });
const size = integer(0, Number.MAX_SAFE_INTEGER);
const closed = (fields: Record<string, Shape>, optional: string[] = []): Shape =>
  object(
    fields,
    Object.keys(fields).filter((name) => !optional.includes(name)),
  );

/** At most so many descriptors: other tools take minutes over thousands. */
const MAX_LAYERS = 400;

export const indexShape: Shape = closed({
  schemaVersion: oneOf(2),
  mediaType: oneOf(INDEX_TYPE),
  manifests: array(
    closed({ mediaType: oneOf(MANIFEST_TYPE), artifactType: oneOf(ARTIFACT_TYPE), digest, size }),
    { min: 1, max: 1 },
  ),
});

export const manifestShape: Shape = closed({
  schemaVersion: oneOf(2),
  mediaType: oneOf(MANIFEST_TYPE),
  artifactType: oneOf(ARTIFACT_TYPE),
  config: closed({ mediaType: oneOf(EMPTY_TYPE), digest: oneOf(EMPTY.digest), size: oneOf(EMPTY.size) }),
  layers: array(closed({ mediaType: oneOf(...Object.values(ROLES)), digest, size }), {
    min: 1,
    max: MAX_LAYERS,
  }),
});

export const caseShape: Shape = closed({
  bundle_version: oneOf(1),
  record_sha256: digest,
  state: oneOf('full', 'changed', 'none'),
  image: boolean(),
  items: array(
    closed(
      {
        role: oneOf(...Object.keys(ROLES).filter((role) => role !== 'case' && role !== 'pack')),
        sha256: digest,
        size,
        name: string({ max: 1024 }),
      },
      ['name'],
    ),
    { min: 1, max: 1_000_000 },
  ),
});
