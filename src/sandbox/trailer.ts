/** Reads PID 1's end trailer, the only trusted statement of how a program ended (docs/harness.md). */

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { constants } from 'node:os';
import { isOneOf } from '../base/table.ts';

export const KEY_BYTES = 32;
const PAYLOAD_BYTES = 128;
/** Payload, newline, 64 hex digits, newline. */
export const TRAILER_BYTES: number = PAYLOAD_BYTES + 1 + 64 + 1;

const KINDS = ['exit', 'signal', 'timeout', 'exec_failed', 'unsupported', 'indeterminate_spin'] as const;

const PAYLOAD =
  /^reenact-end\/1 kind=([a-z_]{1,24}) value=(\d{1,6}) oom=(-1|\d{1,9}) hidden=(-1|\d{1,9}) ms=(\d{1,12})(?: crash=(\d{1,6}))?(?: log=(\d{1,8}))?(?: unproven=(\d{1,5}))? *$/;

export interface Trailer {
  kind: (typeof KINDS)[number];
  /** Exit code, signal number, errno, or what is unsupported (docs/harness.md). */
  value: number;
  /** Processes the kernel killed for memory; -1 when it could not be read. */
  oom: number;
  /** Paths the archive API cannot show; -1 when not looked for. */
  hidden: number;
  durationMs: number;
  /** Lengths of the crash record and of the event log before the trailer; null without one. */
  crashBytes: number | null;
  logBytes: number | null;
  /** Places that may hold an instruction that should have been rewritten, and were left alone. */
  unproven: number;
}

/** A one-time key: a program that learns it could forge an ending, so it is never used twice. */
export function newKey(): Buffer {
  return randomBytes(KEY_BYTES);
}

/** The trailer in the last bytes of stderr, or undefined when it is missing, damaged or not under this key. */
export function readTrailer(tail: Buffer, key: Buffer): Trailer | undefined {
  if (tail.length !== TRAILER_BYTES) return undefined;
  const payload = tail.subarray(0, PAYLOAD_BYTES);
  const mac = tail.subarray(PAYLOAD_BYTES);
  const expected = Buffer.from(`\n${createHmac('sha256', key).update(payload).digest('hex')}\n`);
  if (!timingSafeEqual(mac, expected)) return undefined;
  const found = PAYLOAD.exec(payload.toString('latin1'));
  const [, kind, value, oom, hidden, ms, crash, log, unproven] = found ?? [];
  if (!isOneOf(KINDS, kind)) return undefined;
  return {
    kind,
    value: Number(value),
    oom: Number(oom),
    hidden: Number(hidden),
    durationMs: Number(ms),
    crashBytes: crash === undefined ? null : Number(crash),
    logBytes: log === undefined ? null : Number(log),
    unproven: Number(unproven ?? 0),
  };
}

/** The standard name of a Linux signal number, such as SIGSEGV. */
export function signalName(number: number): string {
  for (const [name, value] of Object.entries(constants.signals))
    if (value === number && !['SIGIOT', 'SIGPOLL', 'SIGUNUSED'].includes(name)) return name;
  return number >= 34 && number <= 64 ? `SIGRTMIN+${number - 34}` : `SIG${number}`;
}
