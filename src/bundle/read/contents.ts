/** The contents of a bundle as they are read: every blob and every member of a pack hashed, documents kept. */

import { type Digest, digestFromHex, startDigest } from '../../base/digest.ts';
import { EVIDENCE_LIMITS, LIMITS } from '../../base/limits.ts';
import { present } from '../../base/list.ts';
import type { Extent } from '../../objects/common/bytes.ts';
import { STORED_BYTES } from '../../trace/model/stored.ts';
import type { ReplayRecord } from '../../verdict/record.ts';
import {
  blobName,
  type CaseDocument,
  caseShape,
  type Descriptor,
  type Item,
  PART_BYTES,
  parseDocument,
  ROLES,
} from '../format/format.ts';
import { Refused } from '../format/refused.ts';
import type { RunningDigest } from '../format/second-thread.ts';
import { paddingBytes } from '../format/tar.ts';
import { type Input, readMember, readPack, type Sink } from './read.ts';

const CASE_BYTES = 67_108_864;
/** The most bytes of documents that are held in memory together. */
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
  'trace-evidence',
  'reproduction',
];
/** These may be larger. */
const LARGE: Partial<Record<Item['role'], number>> = {
  trace: STORED_BYTES,
  join: STORED_BYTES,
  report: STORED_BYTES,
  evidence: EVIDENCE_LIMITS.fileBytes,
};
/** How many unlisted or missing contents are named; more would fill memory with a stranger's text. */
const SHOWN_CONTENTS = 20;

export type Problems = { code: Refused['code']; message: string }[];

/** Gives the place for a content's bytes. */
export type SinkOf = (sha256: Digest) => Sink;

/** A content in parts, as far as it was read. */
interface Parted {
  sha256: Digest;
  parts: number;
  sizeBytes: number;
  digest: ReturnType<typeof startDigest>;
  sink: Sink | undefined;
}

/** The size of the next member, which must have this name. */
export function nextMember(input: Input, name: string): number {
  const member = input.header();
  if (!member) throw new Refused('member_missing', `the archive ends before ${name}`);
  if (member.name !== name)
    throw new Refused('member_unexpected', `${member.name} stands where ${name} must be`);
  return member.sizeBytes;
}

/** Whether a layer is an archive: what is inside is hashed too, one by one. */
export function isArchive({ mediaType }: Descriptor): boolean {
  return mediaType === ROLES.pack || mediaType === ROLES.part;
}

export class ContentReader {
  readonly kept: Map<Digest, Buffer> = new Map();
  /** Every content that was found, with its size. */
  readonly found: Map<Digest, number> = new Map();
  /** The places in the file of contents that are examined without being held in memory. */
  readonly located: Map<Digest, Extent[]> = new Map();
  private readonly input: Input;
  private keptBytes = 0;
  private readonly sinkOf: SinkOf | undefined;
  /** The digests to keep, each up to so many bytes. */
  private readonly wanted = new Map<Digest, number>();
  private readonly listed = new Set<Digest>();
  private strays = 0;
  private parted: Parted | undefined;

  constructor(input: Input, sinkOf?: SinkOf) {
    this.input = input;
    this.sinkOf = sinkOf;
  }

  /** Keeps the bytes of this content when it is read. */
  want(sha256: Digest): void {
    this.keepUpTo(sha256, LIMITS.documentBytes);
  }

  private keepUpTo(sha256: Digest, sizeBytes: number): void {
    this.wanted.set(sha256, Math.max(sizeBytes, this.wanted.get(sha256) ?? 0));
  }

  /** The table of contents, always the first layer. */
  case(layer: Descriptor | undefined): CaseDocument {
    if (layer?.mediaType !== ROLES.case)
      throw new Refused('manifest_form', 'the first layer is no case document');
    if (layer.size > CASE_BYTES)
      throw new Refused(
        'manifest_form',
        `the case document is ${layer.size} bytes, over the limit of ${CASE_BYTES}`,
      );
    const bytes = present(this.blob(layer, true));
    const document = parseDocument<CaseDocument>(bytes, caseShape, 'the case document', CASE_BYTES);
    for (const { role, sha256, name } of document.items) {
      this.listed.add(sha256);
      const looked = LOOKED_INTO.includes(role) || (role === 'image' && name !== 'layer');
      if (looked) this.keepUpTo(sha256, LIMITS.documentBytes);
      if (LARGE[role]) this.keepUpTo(sha256, LARGE[role]);
      if (role === 'symbols') this.located.set(sha256, []);
    }
    return document;
  }

  /** The next layer, after the table of contents; returns the digest it has, made by `running` where it is an archive. */
  layer(layer: Descriptor, running: RunningDigest): Digest | Promise<Digest> {
    if (layer.mediaType !== ROLES.part) this.endParts();
    if (isArchive(layer)) {
      this.header(layer);
      this.input.startDigest(running);
      readPack(this.input, layer.size, {
        keep: (sha256, size) => this.admit(sha256, size),
        each: ({ sha256, sizeBytes, bytes, at }) => {
          this.locate(sha256, at, sizeBytes);
          this.note(sha256, sizeBytes, bytes);
        },
        ...(this.sinkOf ? { sinkOf: this.sinkOf } : {}),
        ...(layer.mediaType === ROLES.part ? { part: (name, size) => this.part(name, size) } : {}),
      });
      const digest = this.input.endDigest();
      this.input.end(paddingBytes(layer.size));
      return digest;
    }
    const keep = this.admit(layer.digest, layer.size);
    this.note(layer.digest, layer.size, this.blob(layer, keep));
    return layer.digest;
  }

  /** Refuses a content before it is read, which may take long; else returns whether its bytes are to be kept. */
  private admit(sha256: Digest, sizeBytes: number): boolean {
    const small = sizeBytes <= LIMITS.documentBytes;
    if (this.found.has(sha256)) throw new Refused('member_unexpected', `${sha256} is there twice`);
    if (!this.listed.has(sha256) && (!small || ++this.strays > SHOWN_CONTENTS))
      throw new Refused('member_unexpected', `${sha256}, of ${sizeBytes} bytes, is in no list`);
    if (sizeBytes > PART_BYTES)
      throw new Refused('member_unexpected', `${sha256}, of ${sizeBytes} bytes, must stand in parts`);
    return sizeBytes <= (this.wanted.get(sha256) ?? -1);
  }

  /** Where the bytes of the next part go: parts of one content follow each other, all whole but the last. */
  private part(name: string, sizeBytes: number): Sink {
    const [, hex, number] = /^([0-9a-f]{64})\.(\d{4})$/.exec(name) ?? [];
    if (!hex) throw new Refused('member_unexpected', `a part has the name ${name}`);
    const sha256 = digestFromHex(hex);
    if (this.parted?.sha256 !== sha256) {
      this.endParts();
      this.admit(sha256, PART_BYTES);
      const sink = this.sinkOf?.(sha256);
      this.parted = { sha256, parts: 0, sizeBytes: 0, digest: startDigest(), sink };
    }
    const { parted } = this;
    this.locate(sha256, this.input.at, sizeBytes);
    if (Number(number) !== parted.parts || parted.sizeBytes !== parted.parts * PART_BYTES)
      throw new Refused('member_unexpected', `part ${name} does not follow the one before it`);
    if (sizeBytes === 0 || sizeBytes > PART_BYTES)
      throw new Refused('member_unexpected', `part ${name} is of ${sizeBytes} bytes`);
    parted.parts++;
    parted.sizeBytes += sizeBytes;
    return (bytes) => {
      parted.digest.update(bytes);
      parted.sink?.(bytes);
    };
  }

  /** The end of a content that came in parts. */
  endParts(): void {
    if (!this.parted) return;
    const { sha256, sizeBytes, digest } = this.parted;
    this.parted = undefined;
    const actual = digest.end();
    if (actual !== sha256) throw new Refused('blob_digest', `the parts of ${sha256} are ${actual}`);
    if (sizeBytes <= PART_BYTES)
      throw new Refused('member_unexpected', `${sha256}, of ${sizeBytes} bytes, stands in parts`);
    this.note(sha256, sizeBytes, null);
  }

  private header(layer: Descriptor): void {
    const name = blobName(layer.digest);
    const sizeBytes = nextMember(this.input, name);
    if (sizeBytes !== layer.size)
      throw new Refused('blob_digest', `${name} is ${sizeBytes} bytes, and ${layer.size} in the manifest`);
  }

  /** A blob of its own, proven to have its digest; kept or not. */
  blob(layer: Descriptor, keep: boolean, content = true): Buffer | null {
    this.header(layer);
    const sink = content ? this.sinkOf?.(layer.digest) : undefined;
    if (content) this.locate(layer.digest, this.input.at, layer.size);
    const { sha256, bytes } = readMember(this.input, layer.size, keep, sink);
    if (sha256 !== layer.digest)
      throw new Refused('blob_digest', `${blobName(layer.digest)} holds ${sha256}`);
    return bytes;
  }

  private locate(sha256: Digest, from: number, size: number): void {
    this.located.get(sha256)?.push({ from, size });
  }

  private note(sha256: Digest, size: number, bytes: Buffer | null): void {
    this.found.set(sha256, size);
    if (!bytes || this.keptBytes + bytes.length > KEPT_BYTES) return;
    this.keptBytes += bytes.length;
    this.kept.set(sha256, bytes);
  }
}

/** The bundle must hold exactly the contents that its table of contents names. */
export function compareContents(document: CaseDocument, found: Map<Digest, number>): Problems {
  const problems: Problems = [];
  const named = new Set<Digest>();
  const missing = document.items.filter(({ sha256, size }) => {
    named.add(sha256);
    return found.get(sha256) !== size;
  });
  for (const { role, sha256, size, name } of missing.slice(0, SHOWN_CONTENTS))
    problems.push({
      code: 'content_missing',
      message: `${role} ${name ?? ''} (${sha256}, ${size} bytes) is ${found.has(sha256) ? 'of another size' : 'not there'}`,
    });
  if (missing.length > SHOWN_CONTENTS)
    problems.push({
      code: 'content_missing',
      message: `and ${missing.length - SHOWN_CONTENTS} more are not there or of another size`,
    });
  for (const sha256 of found.keys())
    if (!named.has(sha256)) problems.push({ code: 'member_unexpected', message: `${sha256} is in no list` });
  return problems;
}

/** Everything that the record rests on must be listed: a check must not pass because there was nothing to check. */
export function missingItems(record: ReplayRecord, { items, withheld = [] }: CaseDocument): Problems {
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
    const listed = new Set<string>(
      [...items, ...withheld].flatMap((item) =>
        item.role === role ? ['sha256' in item ? item.sha256 : item.commitment.replace('hmac-', '')] : [],
      ),
    );
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
