/** Where each content goes: a blob of its own, or together with others in a pack; the same for the same contents. */

import type { Digest } from '../../base/digest.ts';
import { hexOf } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import { lastItem, present } from '../../base/list.ts';
import {
  type CaseDocument,
  EMPTY,
  type Item,
  MAX_LAYERS,
  PART_BYTES,
  ROLES,
  type Role,
  type Withheld,
} from '../format/format.ts';
import { spaceOf, TAR_END } from '../format/tar.ts';
import type { Source } from './collect.ts';

/** Roles that shell tools and registries must find: blobs of their own, even small ones. */
const DOCUMENTS: readonly Role[] = [
  'record',
  'report',
  'manifest',
  'trace',
  'join',
  'evidence',
  'evidence-record',
  'trace-evidence',
  'policy',
  'policy-file',
  'harness',
  'image',
];
const MAX_DOCUMENTS = 100;
const MAX_LARGE = 200;
export const LARGE_BYTES: number = 1 << 20;
const PACK_BYTES = 1 << 29;

/** A content, or a part of one, and the name it has inside a pack. */
interface Piece {
  source: Source;
  name: string;
  from: number;
  size: number;
}

/** One blob to be written: one content, a pack of several, or a part of one. */
export interface PlannedBlob {
  mediaType: string;
  size: number;
  pieces: Piece[];
  /** Whether the pieces are members of an archive. */
  packed: boolean;
}

function byDigest(a: Item, b: Item): number {
  return a.sha256 < b.sha256 ? -1 : a.sha256 > b.sha256 ? 1 : 0;
}

/** The place of each role in the order of the table. */
const RANKS = new Map(Object.keys(ROLES).map((role, rank) => [role, rank]));

function byRole(a: Item, b: Item): number {
  return present(RANKS.get(a.role)) - present(RANKS.get(b.role));
}

/** Each content once, under the first of its roles. */
function distinct(sources: Source[]): Source[] {
  const sorted = sources.toSorted((a, b) => byRole(a, b) || byDigest(a, b));
  return [...new Map(sorted.toReversed().map((source) => [source.sha256, source])).values()].toReversed();
}

function wholeOf(source: Source): Piece {
  return { source, name: hexOf(source.sha256), from: 0, size: source.size };
}

function packOf(mediaType: string, pieces: Piece[]): PlannedBlob {
  const size = pieces.reduce((sum, piece) => sum + spaceOf(piece.size), TAR_END.length);
  return { mediaType, size, pieces, packed: true };
}

/** A content of its own blob. */
export function singleOf(source: Source, mediaType: string = ROLES[source.role]): PlannedBlob {
  return { mediaType, size: source.size, pieces: [wholeOf(source)], packed: false };
}

/** A content that is too large for one member, as parts that each are a blob. */
function partsOf(source: Source): PlannedBlob[] {
  const count = Math.ceil(source.size / PART_BYTES);
  return Array.from({ length: count }, (_, i) => {
    const from = i * PART_BYTES;
    const name = `${hexOf(source.sha256)}.${String(i).padStart(4, '0')}`;
    return packOf(ROLES.part, [{ source, name, from, size: Math.min(PART_BYTES, source.size - from) }]);
  });
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
    lastItem(result).push(source);
    space += spaceOf(source.size);
  }
  return result.map((some) => packOf(ROLES.pack, some.map(wholeOf)));
}

/** The blobs of a bundle in their order, the case document left out. */
export function planBlobs(sources: Source[]): PlannedBlob[] {
  const all = distinct(sources);
  // A content that is `{}` is the empty configuration's blob already: a second of that name would break the bag.
  const documents = all
    .filter(
      ({ role, size, sha256 }) => DOCUMENTS.includes(role) && size <= PART_BYTES && sha256 !== EMPTY.digest,
    )
    .slice(0, MAX_DOCUMENTS);
  const chosen = new Set<Digest>(documents.map(({ sha256 }) => sha256));
  const huge = all.filter(({ size }) => size > PART_BYTES);
  const large = all
    .filter(({ sha256, size }) => !chosen.has(sha256) && size >= LARGE_BYTES && size <= PART_BYTES)
    .sort((a, b) => b.size - a.size || byDigest(a, b))
    .slice(0, MAX_LARGE);
  for (const { sha256 } of [...large, ...huge]) chosen.add(sha256);
  const planned = [
    ...documents.map((source) => singleOf(source)),
    ...large.map((source) => singleOf(source)),
    ...huge.flatMap(partsOf),
    ...packs(all.filter(({ sha256 }) => !chosen.has(sha256))),
  ];
  // The case document itself is one more.
  if (planned.length >= MAX_LAYERS)
    throw new Fault(
      'out_failed',
      `the contents need ${planned.length + 1} blobs, over the limit of ${MAX_LAYERS}: leave some out (reenact bundle create --state none)`,
    );
  return planned;
}

/** The table of contents, in an order that does not depend on where anything was found. */
export function caseDocument(
  record: Digest,
  sources: Source[],
  state: CaseDocument['state'],
  image: boolean,
  withheld: Withheld[] = [],
  reportVersion?: number,
): CaseDocument {
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
        byRole(a, b) ||
        ((a.name ?? '') < (b.name ?? '') ? -1 : (a.name ?? '') > (b.name ?? '') ? 1 : byDigest(a, b)),
    );
  return {
    bundle_version: 1,
    record_sha256: record,
    state,
    image,
    items,
    ...(withheld.length > 0 ? { withheld } : {}),
    ...(reportVersion === undefined ? {} : { report_version: reportVersion }),
  };
}
