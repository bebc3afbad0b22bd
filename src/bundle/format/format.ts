/** What a bundle is made of: names, media types, the root manifest and the case document (docs/bundle.md). */
import { canonicalJson } from '../../base/canonical-json.ts';
import { type Digest, digestOf, hexOf } from '../../base/digest.ts';
import { showProblem } from '../../base/json.ts';
import {
  array,
  boolean,
  closed,
  digestText,
  integer,
  oneOf,
  parseAs,
  type Shape,
  string,
} from '../../base/shape.ts';
import { keysOf } from '../../base/table.ts';
import { Refused } from './refused.ts';

export const ARTIFACT_TYPE = 'application/vnd.reenact.audit-bundle.v1';
export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';

const REF_NAME = 'org.opencontainers.image.ref.name';
const ROOT_NAME = 'bundle';

/** What may be attached to a bundle without changing its identity. */
export const ATTACHED = {
  event: 'application/vnd.reenact.custody-event.v1',
  timestamp: 'application/vnd.reenact.timestamp.v1',
} as const;
export type AttachedType = (typeof ATTACHED)[keyof typeof ATTACHED];

/** Each role has a media type of its own, so that other tools can find what they look for. */
export const ROLES = {
  case: 'application/vnd.reenact.case.v1+json',
  record: 'application/vnd.reenact.record.v1+json',
  report: 'application/vnd.reenact.report.v1+html',
  manifest: 'application/vnd.reenact.manifest.v1+json',
  trace: 'application/vnd.reenact.trace.v1+json',
  join: 'application/vnd.reenact.join.v1+json',
  input: 'application/vnd.reenact.input.v1',
  state: 'application/vnd.reenact.state.v1+json',
  evidence: 'application/vnd.reenact.evidence.v1',
  'evidence-record': 'application/vnd.reenact.evidence-record.v1+json',
  'trace-evidence': 'application/vnd.reenact.trace-evidence.v1',
  custody: 'application/vnd.reenact.custody.v1+json',
  policy: 'application/vnd.reenact.policy.v1+json',
  'policy-file': 'application/vnd.reenact.policy-file.v1',
  harness: 'application/vnd.reenact.harness.v1',
  image: 'application/vnd.reenact.image.v1',
  reproduction: 'application/vnd.reenact.reproduction.v1+json',
  'trace-source': 'application/vnd.reenact.trace-source.v1',
  symbols: 'application/vnd.reenact.symbols.v1',
  content: 'application/vnd.reenact.content.v1',
  pack: 'application/vnd.reenact.pack.v1+tar',
  part: 'application/vnd.reenact.part.v1+tar',
} as const;

export type Role = keyof typeof ROLES;

/** Roles of the parts of a trace; a bundle has all or none of them. */
export const TRACE_ROLES: readonly ContentRole[] = [
  'trace',
  'join',
  'trace-evidence',
  'reproduction',
  'trace-source',
  'symbols',
];

/** Roles of contents; the others are of blobs that hold contents. */
export type ContentRole = Exclude<Role, 'case' | 'pack' | 'part'>;

export interface Descriptor {
  mediaType: string;
  digest: Digest;
  size: number;
}

/** Something in the bundle, by its purpose; its place, among the blobs or in a pack, is not part of it. */
export interface Item {
  role: ContentRole;
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
  /** Of a redaction: what was taken out. */
  withheld?: Withheld[];
  /** The version of the report; bundles of releases that kept it beside the root do not have it. */
  report_version?: number;
}

/** A content that was taken out: the holder of it and of the case secret can show that it was this one. */
export interface Withheld {
  role: ContentRole;
  name?: string;
  commitment: string;
}

/** Contents larger than this are split into parts of this size: archives with one member, named by the content's hex digits and a number. */
export const PART_BYTES: number = 1 << 30;

export const OCI_LAYOUT: string = canonicalJson({ imageLayoutVersion: '1.0.0' });
export const EMPTY_CONFIG = '{}';
export const EMPTY: Descriptor = { mediaType: EMPTY_TYPE, digest: digestOf(EMPTY_CONFIG), size: 2 };

/** Where a blob stands in the archive. */
export function blobName(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

/** A manifest as another one names it. */
export function manifestDescriptor(text: string): Descriptor {
  return { mediaType: MANIFEST_TYPE, digest: digestOf(text), size: Buffer.byteLength(text) };
}

/** The root manifest's text; its digest is the bundle's identity. `subject`: the bundle this is a redaction of. */
export function rootManifest(layers: Descriptor[], subject?: Descriptor): string {
  return canonicalJson({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType: ARTIFACT_TYPE,
    config: EMPTY,
    layers,
    ...(subject ? { subject } : {}),
  });
}

/** The layout's index: the root, and after it what is attached to it, each with its type. */
export function layoutIndex(root: string, attached: { artifactType: string; manifest: string }[]): string {
  return canonicalJson({
    schemaVersion: 2,
    mediaType: INDEX_TYPE,
    manifests: [
      {
        ...manifestDescriptor(root),
        artifactType: ARTIFACT_TYPE,
        // Tools that read layouts choose by name where there are several.
        annotations: { [REF_NAME]: ROOT_NAME },
      },
      ...attached.map(({ artifactType, manifest }) => ({ ...manifestDescriptor(manifest), artifactType })),
    ],
  });
}

export const digest: Shape<Digest> = digestText();
export const size: Shape<number> = integer(0, Number.MAX_SAFE_INTEGER);
/** The most descriptors: other tools take minutes over thousands. */
export const MAX_LAYERS = 400;
export const MAX_ATTACHED = 256;

/** A manifest as the layout's index names it. */
interface IndexEntry extends Descriptor {
  artifactType: typeof ARTIFACT_TYPE | AttachedType;
  annotations?: { [REF_NAME]: typeof ROOT_NAME };
}

interface LayoutIndex {
  schemaVersion: 2;
  mediaType: typeof INDEX_TYPE;
  manifests: IndexEntry[];
}

export const indexShape: Shape<LayoutIndex> = closed({
  schemaVersion: oneOf(2),
  mediaType: oneOf(INDEX_TYPE),
  manifests: array(
    closed(
      {
        mediaType: oneOf<string>(MANIFEST_TYPE),
        artifactType: oneOf(ARTIFACT_TYPE, ...Object.values(ATTACHED)),
        digest,
        size,
        annotations: closed({ [REF_NAME]: oneOf(ROOT_NAME) }),
      },
      ['annotations'],
    ),
    { min: 1, max: 1 + MAX_ATTACHED },
  ),
});

export const emptyConfig: Shape<Descriptor> = closed({
  mediaType: oneOf<string>(EMPTY_TYPE),
  digest: oneOf(EMPTY.digest),
  size: oneOf(EMPTY.size),
});

/** Another manifest by its descriptor. */
export const manifestReference: Shape<Descriptor> = closed({
  mediaType: oneOf<string>(MANIFEST_TYPE),
  digest,
  size,
});

interface RootManifest {
  schemaVersion: 2;
  mediaType: typeof MANIFEST_TYPE;
  artifactType: typeof ARTIFACT_TYPE;
  config: Descriptor;
  layers: Descriptor[];
  subject?: Descriptor;
}

export const manifestShape: Shape<RootManifest> = closed(
  {
    schemaVersion: oneOf(2),
    mediaType: oneOf(MANIFEST_TYPE),
    artifactType: oneOf(ARTIFACT_TYPE),
    config: emptyConfig,
    layers: array(closed({ mediaType: oneOf<string>(...Object.values(ROLES)), digest, size }), {
      min: 1,
      max: MAX_LAYERS,
    }),
    subject: manifestReference,
  },
  ['subject'],
);

const MAX_ITEMS = 250_000;
const COMMITMENT_PATTERN = /^hmac-sha256:[0-9a-f]{64}$/;
const role = oneOf(
  ...keysOf(ROLES).filter((name): name is ContentRole => !['case', 'pack', 'part'].includes(name)),
);

/** The roles that may be taken out; all others show what happened. */
const withheldRole = oneOf('input', 'content', 'evidence', 'evidence-record', 'custody', ...TRACE_ROLES);
const MAX_WITHHELD = 20_000;

export const caseShape: Shape<CaseDocument> = closed(
  {
    bundle_version: oneOf(1),
    record_sha256: digest,
    state: oneOf('full', 'changed', 'none'),
    image: boolean(),
    items: array(closed({ role, sha256: digest, size, name: string({ max: 1024 }) }, ['name']), {
      min: 1,
      max: MAX_ITEMS,
    }),
    withheld: array(
      closed(
        {
          role: withheldRole,
          commitment: string({ pattern: COMMITMENT_PATTERN }),
          name: string({ max: 1024 }),
        },
        ['name'],
      ),
      { min: 1, max: MAX_WITHHELD },
    ),
    report_version: integer(2, 999_999),
  },
  ['withheld', 'report_version'],
);

/** Parses a document of the bundle's own; anything wrong with it ends the reading. */
export function parseDocument<T>(bytes: Buffer, shape: Shape<T>, name: string, maxBytes: number): T {
  const parsed = parseAs(shape, bytes, { sizeBytes: maxBytes, depth: 64 });
  if (parsed.ok) return parsed.value;
  const shown = parsed.problems.slice(0, 5).map(showProblem);
  throw new Refused('manifest_form', `${name}: ${shown.join('; ')}`);
}
