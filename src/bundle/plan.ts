/** Where each content goes: a blob of its own, or together with others in a pack; the same for the same contents. */
import { type Digest, digestOf, hexOf } from '../base/digest.ts';
import type { Source } from './collect.ts';
import { type CaseDocument, EMPTY_CONFIG, type Item, ROLES, type Role } from './format.ts';
import { spaceOf, TAR_END } from './tar.ts';

/** Found by shell tools and registries: blobs of their own, however small. */
const DOCUMENTS: readonly Role[] = [
  'record',
  'manifest',
  'evidence',
  'evidence-record',
  'policy',
  'policy-file',
  'harness',
  'image',
];
const MAX_DOCUMENTS = 100;
const MAX_LARGE = 200;
const LARGE_BYTES = 1 << 20;
const PACK_BYTES = 1 << 29;

/** One blob to be written: one content, or a pack of several. */
export interface PlannedBlob {
  mediaType: string;
  size: number;
  parts: Source[];
  pack: boolean;
}

function byDigest(a: Item, b: Item): number {
  return a.sha256 < b.sha256 ? -1 : a.sha256 > b.sha256 ? 1 : 0;
}

/** Each content once, under the first of its roles. */
function distinct(sources: Source[]): Source[] {
  const order = Object.keys(ROLES);
  const sorted = [...sources].sort((a, b) => order.indexOf(a.role) - order.indexOf(b.role) || byDigest(a, b));
  return [...new Map(sorted.toReversed().map((source) => [source.sha256, source])).values()].toReversed();
}

function packOf(parts: Source[]): PlannedBlob {
  const size = parts.reduce((sum, part) => sum + spaceOf(part.size), TAR_END.length);
  return { mediaType: ROLES.pack, size, parts, pack: true };
}

/** Fills packs in the order of digests. */
function packs(sources: Source[]): PlannedBlob[] {
  const result: Source[][] = [];
  let space = PACK_BYTES;
  for (const source of sources.toSorted(byDigest)) {
    if (space + spaceOf(source.size) > PACK_BYTES) {
      result.push([]);
      space = 0;
    }
    result.at(-1)!.push(source);
    space += spaceOf(source.size);
  }
  return result.map(packOf);
}

/** The blobs of a bundle in their order, the case document left out. */
export function planBlobs(sources: Source[]): PlannedBlob[] {
  const all = distinct(sources);
  // A content that is `{}` is the empty configuration's blob already: a second of that name would break the bag.
  const documents = all
    .filter(({ role, sha256 }) => DOCUMENTS.includes(role) && sha256 !== digestOf(EMPTY_CONFIG))
    .slice(0, MAX_DOCUMENTS);
  const chosen = new Set<Digest>(documents.map(({ sha256 }) => sha256));
  const large = all
    .filter(({ sha256, size }) => !chosen.has(sha256) && size >= LARGE_BYTES)
    .sort((a, b) => b.size - a.size || byDigest(a, b))
    .slice(0, MAX_LARGE);
  for (const { sha256 } of large) chosen.add(sha256);
  const single = [...documents, ...large].map(
    (source): PlannedBlob => ({
      mediaType: ROLES[source.role],
      size: source.size,
      parts: [source],
      pack: false,
    }),
  );
  return [...single, ...packs(all.filter(({ sha256 }) => !chosen.has(sha256)))];
}

/** A pack's member has its digest for a name. */
export function memberName(sha256: Digest): string {
  return hexOf(sha256);
}

/** The table of contents, in an order that does not depend on where anything was found. */
export function caseDocument(
  record: Digest,
  sources: Source[],
  state: CaseDocument['state'],
  image: boolean,
): CaseDocument {
  const order = Object.keys(ROLES);
  const items = sources
    .map(
      ({ role, sha256, size, name }): Item => ({
        role,
        sha256,
        size,
        ...(name === undefined ? {} : { name }),
      }),
    )
    .sort(
      (a, b) =>
        order.indexOf(a.role) - order.indexOf(b.role) ||
        ((a.name ?? '') < (b.name ?? '') ? -1 : (a.name ?? '') > (b.name ?? '') ? 1 : byDigest(a, b)),
    );
  return { bundle_version: 1, record_sha256: record, state, image, items };
}
