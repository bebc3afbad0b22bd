/** The result of one replay: a row of the record. */
import type { Digest } from '../base/digest.ts';
import {
  array,
  closed,
  described,
  digestText,
  integer,
  nullable,
  number,
  oneOf,
  type Shape,
  spelling,
  string,
} from '../base/shape.ts';
import type { FunctionsId, SignatureId } from '../manifest/crash-signature.ts';
import { type Crash, crashShape, MOST_OTHER_CRASHES } from '../sandbox/crash.ts';
import type { Ended } from '../sandbox/run.ts';
import * as words from './descriptions.ts';
import type { CrashSummary } from './same-crash.ts';

export type Outcome = 'match' | 'diverged' | 'infra_error';

export interface ReplayResult {
  /** 1 to the number requested; stable across resumed runs and shards. */
  index: number;
  seed: number;
  /** What run --vary changed around it. */
  varied?: string;
  outcome: Outcome;
  /** null when the infrastructure failed before the program ended. */
  ended: Ended | null;
  final_state_sha256: Digest | null;
  exit_code: number | null;
  signal: string | null;
  duration_ms: number;
  /** Attempts, more than 1 when the infrastructure failed in between. */
  attempts: number;
  /** Where a signal ended it, with full determinism; left out where that was not observed. */
  crash?: Crash;
  /** Where other processes crashed, its children and theirs, in the order of their ends; left out: none did. */
  other_crashes?: { crashes: Crash[]; left_out: number };
  /** The replay in whose row its crashes stand, which are the same to the byte; left out: here, or there are none. */
  crash_as?: number;
  /** The parts of them that are compared (docs/crash-signature.md); older records do not have it. */
  crash_signatures?: CrashSummary[];
  /** Places that may hold an instruction to rewrite, and are not proven to (docs/determinism.md, Rewriting); left out: none. */
  unproven_instructions?: number;
  error?: { code: string; message: string };
}

const digest = digestText();
const text = string();
const count = integer(0, Number.MAX_SAFE_INTEGER);

export const replayShape: Shape<ReplayResult> = closed(
  described(words.REPLAY, {
    index: count,
    seed: count,
    varied: text,
    outcome: oneOf('match', 'diverged', 'infra_error'),
    ended: oneOf(
      'exit',
      'signal',
      'timeout',
      'oom',
      'output_limit',
      'write_limit',
      'exec_failed',
      'unsupported',
      'indeterminate_spin',
      null,
    ),
    final_state_sha256: nullable(digest),
    exit_code: nullable(integer(0, 255)),
    signal: nullable(text),
    duration_ms: number(0, Number.MAX_SAFE_INTEGER),
    attempts: count,
    crash: crashShape,
    other_crashes: closed(
      described(words.OTHER_CRASHES, {
        crashes: array(crashShape, { max: MOST_OTHER_CRASHES }),
        left_out: count,
      }),
    ),
    crash_as: count,
    crash_signatures: array(
      closed(
        described(words.SIGNATURE, {
          process: nullable(text),
          id: spelling<SignatureId>({ pattern: /^v1:[0-9a-f]{64}$/ }),
          functions_id: nullable(spelling<FunctionsId>({ pattern: /^v1f:[0-9a-f]{64}$/ })),
          walk: oneOf('whole', 'cut'),
          site: nullable(text),
        }),
      ),
      { max: 1 + MOST_OTHER_CRASHES },
    ),
    unproven_instructions: integer(1, 99_999),
    error: closed(described(words.ERROR, { code: text, message: text })),
  }),
  ['varied', 'crash', 'other_crashes', 'crash_as', 'crash_signatures', 'unproven_instructions', 'error'],
);
