/** The replay record: what one run of one manifest found. Its JSON Schema is made of the same definition. */
import type { Digest } from '../base/digest.ts';
import {
  array,
  boolean,
  closed,
  described,
  digestText,
  integer,
  nullable,
  number,
  object,
  oneOf,
  type Shape,
  scalar,
  string,
} from '../base/shape.ts';
import type { CustodyPlace } from '../evidence/custody/custody.ts';
import { type EvidenceRecord, evidenceRecordShape } from '../evidence/documents/record.ts';
import type { ImageCheck } from '../policy/shape.ts';
import { MECHANISM_NAMES, type Mechanism } from '../sandbox/mechanisms.ts';
import type { Processor } from '../sandbox/processor.ts';
import { type Difference, differenceFields } from '../state/diff.ts';
import * as words from './descriptions.ts';
import { type Desync, desyncShape } from './desync.ts';
import { type ReplayResult, replayShape } from './replay-result.ts';

export type Verdict = 'reproduced' | 'diverged' | 'rejected' | 'inconclusive';

export interface GateResult {
  name: string;
  threshold: number | string | boolean;
  value: number | string | boolean;
  pass: boolean;
}

export interface Claim {
  name: 'kernel_version' | 'libc_version' | 'compiler';
  claimed: string;
  /** null: the image does not tell. */
  observed: string | null;
  match: boolean | null;
}

export interface ReplayRecord {
  record_version: 1;
  /** Random bytes, so that a record's digest cannot be guessed, and a redaction may name the record it is made from. */
  nonce: Digest;
  name: string;
  manifest_path: string;
  manifest_sha256: Digest | null;
  /** What evidence about the manifest names: see manifestSubject. */
  manifest_subject_sha256: Digest | null;
  sandbox_image_sha256: Digest | null;
  verdict: Verdict;
  reason: string;
  message: string;
  flaky: boolean;
  requested: number;
  replay_success_ratio: number;
  final_state_sha256: Digest | null;
  expected_state_sha256: Digest | null;
  gates: GateResult[];
  replays: ReplayResult[];
  policy: { name: string; sha256: Digest };
  /** Who signed for the manifest; `not_checked` where the policy names no authorities. */
  evidence: {
    status: 'not_checked' | EvidenceRecord['verdict'];
    record: EvidenceRecord | null;
    record_sha256: Digest | null;
    /** The evidence itself, kept as blobs. */
    files: Digest[];
    custody: CustodyPlace | null;
  };
  image: {
    requested: Digest;
    kind: 'index' | 'manifest';
    manifest: Digest;
    config: Digest;
    diff_ids: Digest[];
    platform: string;
    image_check: ImageCheck;
  } | null;
  claims: Claim[];
  degraded: string[];
  /** Writable places whose content is not part of the state. */
  uncaptured: string[];
  divergence: (Difference & { replay: number }) | null;
  /** Where two replays part, with run --explain. */
  desync?: Desync;
  environment: {
    engine: string;
    api_version: string;
    kernel: string;
    cpu: string;
    /** The processor's name, null where it was unknown; older records do not have it. */
    processor?: Processor | null;
    storage_driver: string;
    capture: 'overlay' | 'archive';
    seccomp_sha256: Digest;
    harness_sha256: Digest;
    /** Whether the seed decided everything the program saw; older records do not have it. */
    determinism?: 'full' | 'off';
    /** The mechanisms it rested on, of those that this release knows; only where it was full. */
    mechanisms?: Mechanism[];
    /** The seed chose turns at random; in a hunt for races, each replay had its own seed. */
    schedule?: 'chaos';
    /** Nothing here protects against the machine's own root or its engine. */
    trusted: string[];
  } | null;
  shard: string | null;
  started_at: string;
  duration_ms: number;
}

const digest = digestText();
const text = string();
const count = integer(0, Number.MAX_SAFE_INTEGER);

const image = closed(
  described(words.IMAGE, {
    requested: digest,
    kind: oneOf('index', 'manifest'),
    manifest: digest,
    config: digest,
    diff_ids: array(digest),
    platform: text,
    image_check: oneOf('engine', 'content'),
  }),
);

const environment = closed(
  described(words.ENVIRONMENT, {
    engine: text,
    api_version: text,
    kernel: text,
    cpu: text,
    processor: nullable(
      closed(described(words.PROCESSOR, { vendor: text, family: count, model: count, stepping: count })),
    ),
    storage_driver: text,
    capture: oneOf('overlay', 'archive'),
    seccomp_sha256: digest,
    harness_sha256: digest,
    determinism: oneOf('full', 'off'),
    mechanisms: array(oneOf(...MECHANISM_NAMES)),
    virtual_time: oneOf('calls'),
    schedule: oneOf('chaos'),
    trusted: array(text),
  }),
  ['processor', 'determinism', 'mechanisms', 'virtual_time', 'schedule'],
);

const divergence = object({ ...differenceFields, ...described(words.DIVERGENCE, { replay: count }) }, [
  'kind',
  'expected',
  'actual',
  'replay',
]);

export const recordShape: Shape<ReplayRecord> = closed(
  described(words.RECORD, {
    record_version: oneOf(1),
    nonce: digest,
    name: text,
    manifest_path: text,
    manifest_sha256: nullable(digest),
    manifest_subject_sha256: nullable(digest),
    sandbox_image_sha256: nullable(digest),
    verdict: oneOf('reproduced', 'diverged', 'rejected', 'inconclusive'),
    reason: text,
    message: text,
    flaky: boolean(),
    requested: integer(1, Number.MAX_SAFE_INTEGER),
    replay_success_ratio: number(0, 1),
    final_state_sha256: nullable(digest),
    expected_state_sha256: nullable(digest),
    gates: array(
      closed(described(words.GATE, { name: text, threshold: scalar, value: scalar, pass: boolean() })),
    ),
    replays: array(replayShape),
    policy: closed(described(words.NAMED, { name: text, sha256: digest })),
    evidence: closed(
      described(words.EVIDENCE, {
        status: oneOf('not_checked', 'verified', 'rejected', 'error'),
        record: nullable(evidenceRecordShape),
        record_sha256: nullable(digest),
        files: array(digest, { max: 1024 }),
        custody: nullable(closed(described(words.CUSTODY, { path: text, sequence: count, sha256: digest }))),
      }),
    ),
    image: nullable(image),
    claims: array(
      closed(
        described(words.CLAIM, {
          name: oneOf('kernel_version', 'libc_version', 'compiler'),
          claimed: text,
          observed: nullable(text),
          match: nullable(boolean()),
        }),
      ),
    ),
    degraded: array(text),
    uncaptured: array(text),
    divergence: nullable(divergence),
    desync: desyncShape,
    environment: nullable(environment),
    shard: nullable(text),
    started_at: text,
    duration_ms: number(0, Number.MAX_SAFE_INTEGER),
  }),
  ['desync'],
  'Reenact replay record, version 1',
);

/** The JSON Schema of a record. */
export function recordSchema(): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Reenact replay record',
    ...recordShape.schema(),
  };
}
