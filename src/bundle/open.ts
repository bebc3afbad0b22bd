/** A bundle as it is read: layout and index first, then every blob, then the bag, each compared with what must be there. */
import type { Digest } from '../base/digest.ts';
import { digestOf } from '../base/digest.ts';
import { type Problem, parseJson, showProblem } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import type { Shape } from '../base/shape.ts';
import type { Manifest } from '../manifest/definition.ts';
import { parseManifest } from '../manifest/parse.ts';
import { type ReplayRecord, recordShape } from '../verdict/record.ts';
import { type BagFile, bagFileOf, bagFiles } from './bag.ts';
import {
  blobName,
  type CaseDocument,
  caseShape,
  type Descriptor,
  EMPTY_CONFIG,
  type Item,
  indexShape,
  manifestShape,
  OCI_LAYOUT,
  ROLES,
} from './format.ts';
import { Input, readMember, readPack, type Sink } from './read.ts';
import { Refused } from './refused.ts';
import { textsOf } from './texts.ts';

const CASE_BYTES = 268_435_456;
/** Documents that are looked into are held in memory, no more than this together. */
const KEPT_BYTES = 134_217_728;
const LOOKED_INTO: readonly Item['role'][] = [
  'record',
  'manifest',
  'state',
  'evidence',
  'evidence-record',
  'custody',
  'policy',
  'policy-file',
];

export interface Opened {
  root: Digest;
  document: CaseDocument;
  record: ReplayRecord;
  /** The manifest the record is about, parsed; undefined where the record names none. */
  manifest: Manifest | undefined;
  /** Bytes of documents, by digest. */
  kept: Map<Digest, Buffer>;
  sizeBytes: number;
  /** What is wrong beside what ended the reading. */
  problems: { code: Refused['code']; message: string }[];
}

function parseDocument<T>(bytes: Buffer, shape: Shape, name: string, maxBytes: number): T {
  const parsed = parseJson(bytes, { sizeBytes: maxBytes, depth: 64 });
  const problems: Problem[] = parsed.ok ? [] : parsed.problems;
  if (parsed.ok) shape.check(parsed.value, '$', problems);
  if (!parsed.ok || problems.length > 0) {
    const shown = problems.slice(0, 5).map(showProblem);
    throw new Refused('manifest_form', `${name}: ${shown.join('; ')}`);
  }
  return parsed.value as T;
}

/** The size of the next member, which must have this name. */
function nextMember(input: Input, name: string): number {
  const member = input.header();
  if (!member) throw new Refused('member_missing', `the archive ends before ${name}`);
  if (member.name !== name)
    throw new Refused('member_unexpected', `${member.name} stands where ${name} must be`);
  return member.sizeBytes;
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
  const twice = blobs.find((digest, at) => blobs.indexOf(digest) !== at);
  if (twice) throw new Refused('member_unexpected', `the root manifest names ${twice} twice`);
}

class Reader {
  readonly kept = new Map<Digest, Buffer>();
  /** Every content that was found, with its size. */
  readonly found = new Map<Digest, number>();
  private readonly input: Input;
  private keptBytes = 0;
  private readonly sinkOf: ((sha256: Digest) => Sink) | undefined;
  private wanted = new Set<Digest>();

  constructor(input: Input, sinkOf?: (sha256: Digest) => Sink) {
    this.input = input;
    this.sinkOf = sinkOf;
  }

  /** The table of contents, always the first layer. */
  case(layer: Descriptor | undefined): CaseDocument {
    if (layer?.mediaType !== ROLES.case)
      throw new Refused('manifest_form', 'the first layer is no case document');
    const bytes = this.blob(layer, true, CASE_BYTES)!;
    const document = parseDocument<CaseDocument>(bytes, caseShape, 'the case document', CASE_BYTES);
    for (const { role, sha256, size } of document.items)
      if (LOOKED_INTO.includes(role) && size <= LIMITS.documentBytes) this.wanted.add(sha256);
    return document;
  }

  layer(layer: Descriptor): void {
    if (layer.mediaType !== ROLES.pack) {
      const bytes = this.blob(layer, this.wanted.has(layer.digest), LIMITS.documentBytes);
      this.note(layer.digest, layer.size, bytes);
      return;
    }
    this.header(layer);
    const digest = readPack(
      this.input,
      layer.size,
      (sha256) => this.wanted.has(sha256),
      (member) => this.note(member.sha256, member.sizeBytes, member.bytes),
      this.sinkOf,
    );
    if (digest !== layer.digest)
      throw new Refused('blob_digest', `${blobName(layer.digest)} holds ${digest}`);
  }

  private header(layer: Descriptor): void {
    const name = blobName(layer.digest);
    const sizeBytes = nextMember(this.input, name);
    if (sizeBytes !== layer.size)
      throw new Refused('blob_digest', `${name} is ${sizeBytes} bytes, and ${layer.size} in the manifest`);
  }

  private blob(layer: Descriptor, keep: boolean, maxBytes: number): Buffer | null {
    this.header(layer);
    const sink = this.sinkOf?.(layer.digest);
    const { sha256, bytes } = readMember(this.input, layer.size, keep && layer.size <= maxBytes, sink);
    if (sha256 !== layer.digest)
      throw new Refused('blob_digest', `${blobName(layer.digest)} holds ${sha256}`);
    return bytes;
  }

  private note(sha256: Digest, size: number, bytes: Buffer | null): void {
    if (this.found.has(sha256)) throw new Refused('member_unexpected', `${sha256} is there twice`);
    this.found.set(sha256, size);
    if (!bytes || this.keptBytes + bytes.length > KEPT_BYTES) return;
    this.keptBytes += bytes.length;
    this.kept.set(sha256, bytes);
  }
}

/** Nothing may be inside that the table of contents does not name, and nothing missing that it does. */
function compareContents(document: CaseDocument, found: Map<Digest, number>): Opened['problems'] {
  const problems: Opened['problems'] = [];
  const named = new Set<Digest>();
  for (const { role, sha256, size, name } of document.items) {
    named.add(sha256);
    if (found.get(sha256) !== size)
      problems.push({
        code: 'content_missing',
        message: `${role} ${name ?? ''} (${sha256}, ${size} bytes) is ${found.has(sha256) ? 'of another size' : 'not there'}`,
      });
  }
  for (const sha256 of found.keys())
    if (!named.has(sha256)) problems.push({ code: 'member_unexpected', message: `${sha256} is in no list` });
  return problems;
}

/** What the record rests on must be in the list: a check must not pass because there was nothing to check. */
function missingItems(record: ReplayRecord, { items }: CaseDocument): Opened['problems'] {
  const { evidence, environment, policy, replays } = record;
  const named: [Item['role'], (Digest | null | undefined)[]][] = [
    ['manifest', [record.manifest_sha256]],
    ['policy', [policy.sha256]],
    ['evidence', evidence.files],
    ['evidence-record', [evidence.record_sha256]],
    ['harness', [environment?.harness_sha256, environment?.seccomp_sha256]],
    ['state', replays.map(({ final_state_sha256 }) => final_state_sha256)],
  ];
  return named.flatMap(([role, digests]) => {
    const listed = new Set(items.filter((item) => item.role === role).map(({ sha256 }) => sha256));
    return [...new Set(digests)].flatMap((sha256) =>
      sha256 && !listed.has(sha256)
        ? [
            {
              code: 'content_missing' as const,
              message: `${role} ${sha256}, which the record names, is in no list`,
            },
          ]
        : [],
    );
  });
}

/** The manifest as it was replayed; one that is none, or not the one that is named, makes the bundle unreadable. */
function parseManifestOf(record: ReplayRecord, kept: Map<Digest, Buffer>): Manifest | undefined {
  const bytes = record.manifest_sha256 ? kept.get(record.manifest_sha256) : undefined;
  if (!bytes) return undefined;
  const parsed = parseManifest(bytes);
  if (!parsed.ok)
    throw new Refused(
      'manifest_form',
      `the replay manifest: ${parsed.problems.slice(0, 5).map(showProblem).join('; ')}`,
    );
  return parsed.value.manifest;
}

/** Reads a bundle to its end; throws Refused where it is not of the form. `sinkOf` is given every content. */
export function openBundle(path: string, sinkOf?: (sha256: Digest) => Sink): Opened {
  const input = new Input(path);
  try {
    const layout = expectFile(input, 'oci-layout', LIMITS.imageDocumentBytes);
    if (layout.toString() !== OCI_LAYOUT)
      throw new Refused('manifest_form', 'oci-layout is not of version 1.0.0');
    const index = expectFile(input, 'index.json', LIMITS.imageDocumentBytes);
    const { manifests } = parseDocument<{ manifests: [Descriptor] }>(
      index,
      indexShape,
      'index.json',
      LIMITS.imageDocumentBytes,
    );
    const root = manifests[0].digest;
    const manifest = expectFile(input, blobName(root), LIMITS.imageDocumentBytes);
    if (digestOf(manifest) !== root || manifest.length !== manifests[0].size)
      throw new Refused('blob_digest', `the root manifest is not ${root}`);
    const { layers } = parseDocument<{ layers: Descriptor[] }>(
      manifest,
      manifestShape,
      'the root manifest',
      LIMITS.imageDocumentBytes,
    );
    refuseTwice([root, digestOf(EMPTY_CONFIG), ...layers.map(({ digest }) => digest)]);
    const config = expectFile(input, blobName(digestOf(EMPTY_CONFIG)), EMPTY_CONFIG.length);
    if (config.toString() !== EMPTY_CONFIG)
      throw new Refused('blob_digest', 'the empty configuration is not empty');
    const reader = new Reader(input, sinkOf);
    const document = reader.case(layers[0]);
    for (const layer of layers.slice(1)) reader.layer(layer);
    const problems = compareContents(document, reader.found);
    const bytes = reader.kept.get(document.record_sha256);
    if (!bytes) throw new Refused('content_missing', `the record ${document.record_sha256} is not there`);
    const record = parseDocument<ReplayRecord>(bytes, recordShape, 'the record', LIMITS.documentBytes);
    problems.push(...missingItems(record, document));
    const files: BagFile[] = [
      bagFileOf('oci-layout', layout),
      bagFileOf('index.json', index),
      bagFileOf(blobName(root), manifest),
      bagFileOf(blobName(digestOf(config)), config),
      ...layers.map(({ digest }) => ({ name: blobName(digest), sha256: digest })),
    ];
    const manifestOfRun = parseManifestOf(record, reader.kept);
    const texts = textsOf(root, record, document, layers, manifestOfRun);
    for (const [name, text] of bagFiles(root, files, texts)) {
      const { sha256 } = readMember(input, nextMember(input, name), false);
      if (sha256 !== digestOf(text))
        problems.push({
          code: name.startsWith('data/') ? 'text_differs' : 'bag_mismatch',
          message: `${name} is not what is made of the contents`,
        });
    }
    const more = input.header();
    if (more) throw new Refused('member_unexpected', `${more.name} is not part of a bundle`);
    return {
      root,
      document,
      record,
      manifest: manifestOfRun,
      kept: reader.kept,
      sizeBytes: input.at,
      problems,
    };
  } finally {
    input.close();
  }
}
