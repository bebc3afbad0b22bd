/** PID 1 without an engine: in name spaces of its own, as a user without rights, for builds of it that no image has. */
import { spawnSync } from 'node:child_process';

/** Why such a test cannot run here, or ''. */
export const NO_NAME_SPACES: string =
  process.getuid?.() === 0 && spawnSync('unshare', ['-pfnmiu', 'true']).status === 0
    ? ''
    : 'NOT tested here, which needs root and unshare(1)';

export interface Ran {
  /** As the trailer says it, for example "kind=exit value=0". */
  ending: string;
  stdout: string;
  stderr: string;
}

/** Runs a program under a build of PID 1, with everything decided by `seed`; `more` are options of PID 1. */
export function runAsFirst(
  init: string,
  program: string[],
  seed: number,
  { more = [], timeoutMs = 60_000 }: { more?: string[]; timeoutMs?: number } = {},
): Ran {
  const decided = ['--determinism', 'full', '--seed', String(seed), '--clock-start', '946684800'];
  const options = ['--timeout-ms', String(timeoutMs), ...decided, '--cpus', '1', ...more, '--'];
  const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--no-new-privs'];
  const done = spawnSync(
    'unshare',
    ['-pfnmiu', '--kill-child', '--mount-proc', ...nobody, init, ...options, ...program],
    {
      cwd: '/',
      input: Buffer.alloc(32),
      env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' },
      timeout: timeoutMs + 30_000,
      killSignal: 'SIGKILL',
    },
  );
  const stderr = done.stderr.toString('latin1');
  const ending = /reenact-end\/1 (kind=\S+ value=\S+)/.exec(stderr)?.[1] ?? 'no trailer';
  return { ending, stdout: done.stdout.toString('latin1'), stderr };
}
