/** What one replay came to: a row of the record. */
import { DIGEST_PATTERN, type Digest } from '../base/digest.ts';
import { integer, nullable, number, object, oneOf, type Shape, string } from '../base/shape.ts';
import { type Crash, crashShape } from '../sandbox/crash.ts';
import type { Ended } from '../sandbox/run.ts';

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
  /** Where a signal ended it, with full determinism; left out where nobody could see that. */
  crash?: Crash;
  /** Places that may hold an instruction to rewrite, and are not proven to (docs/determinism.md, Rewriting); left out: none. */
  unproven_instructions?: number;
  error?: { code: string; message: string };
}

const digest = string({ pattern: DIGEST_PATTERN });
const text = string();
const count = integer(0, Number.MAX_SAFE_INTEGER);

export const replayShape: Shape = object(
  {
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
    duration_ms: number(0, Number.MAX_SAFE_INTEGER, 'Milliseconds'),
    attempts: count,
    crash: crashShape,
    unproven_instructions: integer(1, 99_999),
    error: object({ code: text, message: text }, ['code', 'message']),
  },
  [
    'index',
    'seed',
    'outcome',
    'ended',
    'final_state_sha256',
    'exit_code',
    'signal',
    'duration_ms',
    'attempts',
  ],
);
