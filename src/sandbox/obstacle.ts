/** Why a program could not be run, or its run not be trusted, in words: the meaning of the trailer's number. */
import { getSystemErrorMap } from 'node:util';

import { callName } from './calls.ts';
import type { Trailer } from './trailer.ts';

/** harness/supervisor/loop/supervisor.h, enum unsupported. */
const REASONS: Readonly<Record<number, string>> = {
  1001: 'it executed a program of another instruction set than x86-64',
  1002: 'it executed a program that it may run but not read (mode 0111), which PID 1 cannot supervise',
  1003: 'PID 1 could not trace it',
  1004: 'cpuid does not trap in it, although it did when the sandbox was probed',
  1005: 'PID 1 could not put back what it does about SIGSEGV or SIGILL, which a trap had made the kernel forget',
  1006: 'it made a 32-bit system call (int 0x80) other than the ordinary ones, which full determinism refuses',
  1007: 'PID 1 could not put back the memory of a thread that had computed until its timer was due: is there enough?',
};

/** A ptrace request that PID 1 does not support for a guest is reported as this number plus its own. */
const PTRACE_REQUEST = 200_000;

/** undefined where the kind of the ending is enough; `said` is what PID 1 wrote about a program that it could not start. */
export function obstacleOf(
  { kind, value }: Pick<Trailer, 'kind' | 'value'>,
  said: string,
): string | undefined {
  if (kind === 'exec_failed') {
    const [name, words] = getSystemErrorMap().get(-value) ?? [`errno ${value}`, 'unknown'];
    return `the program could not be executed: ${name} (${words})${said && `: ${said.trim().replace(/\p{Cc}/gu, '?')}`}`;
  }
  if (kind !== 'unsupported') return undefined;
  if (value >= PTRACE_REQUEST)
    return `it made the system call ptrace (101) with request ${value - PTRACE_REQUEST}, which full determinism refuses`;
  return (
    REASONS[value] ?? `it made the system call ${callName(value)} (${value}), which full determinism refuses`
  );
}
