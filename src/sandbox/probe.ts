/** Proves that the sandbox is in force: compares what PID 1 saw from inside with what was asked for. */
import { Fault } from '../base/fault.ts';
import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import type { ContainerLimits } from './engine.ts';

/** EBADFD, which only our profile answers to the sentinel persona. */
const SENTINEL_ERRNO = 77;
const EROFS = 30;

/** What PID 1 reports (harness/init/probe.c); text fields are printable ASCII. */
export interface Observed {
  uid: number;
  gid: number;
  hostname: string;
  kernel: string;
  machine: string;
  cpu_name?: string;
  cpu_vendor?: string;
  cpu_family?: string;
  cpu_model?: string;
  cpu_stepping?: string;
  no_new_privs?: string;
  seccomp?: string;
  cap_permitted?: string;
  cap_bounding?: string;
  seccomp_sentinel: number;
  rlimit_core: number;
  rlimit_fsize: number;
  memory_limit?: string;
  memory_and_swap_limit?: string;
  swap_limit?: string;
  pids_limit?: string;
  cpu_quota_us?: string;
  interfaces: number;
  harness_write_errno: number;
  case_write_errno: number;
  work_write_errno: number;
  work_entries: number;
  libc?: string;
  compiler?: string;
  /** Of full determinism, with commas between. */
  mechanisms?: string;
}

export interface Expected {
  uid: number;
  gid: number;
  limits: ContainerLimits;
  hasCase: boolean;
}

/** Parses the probe's stdout. */
export function parseObserved(bytes: Buffer): Observed {
  const parsed = parseJson(bytes, { sizeBytes: 65536, depth: 2 });
  if (!parsed.ok)
    throw new Fault(
      'sandbox_not_enforced',
      `the probe printed no usable report: ${parsed.problems[0]?.message}`,
    );
  return parsed.value as Observed;
}

/** Without these a guest is not contained, so nothing is run. */
function refusals(o: Observed, e: Expected): string[] {
  const zero = (mask: string | undefined): boolean => mask !== undefined && /^0+$/.test(mask);
  const checks: [boolean, string][] = [
    [o.no_new_privs === '1', 'no-new-privileges is not set'],
    [
      o.seccomp === '2' && o.seccomp_sentinel === SENTINEL_ERRNO,
      'our seccomp profile is not the one in force',
    ],
    [zero(o.cap_permitted) && zero(o.cap_bounding), 'capabilities are left'],
    [o.interfaces === 0, 'there is a network interface beside loopback'],
    [o.harness_write_errno === EROFS, '/harness can be written'],
    [!e.hasCase || o.case_write_errno === EROFS, '/case can be written'],
    [o.uid === e.uid && o.gid === e.gid, `the program would run as ${o.uid}:${o.gid}`],
    [o.work_write_errno === 0, '/work cannot be written by the program’s user'],
    [o.work_entries === 0, 'the image brings files in /work, which must be empty'],
    [o.rlimit_core === 0, 'core files are not off'],
  ];
  return checks.filter(([ok]) => !ok).map(([, text]) => text);
}

/** Limits that are not in force leave the program contained, but the replay is marked degraded. */
function degradations(o: Observed, e: Expected, hostHasSwap: boolean): string[] {
  const memory = String(e.limits.memoryBytes);
  const swapOff = o.memory_and_swap_limit === memory || o.swap_limit === '0' || !hostHasSwap;
  const cpus = o.cpu_quota_us?.split(' ') ?? [];
  const quota = Number(cpus[0]) / Number(cpus[1] ?? 100_000);
  const checks: [boolean, string][] = [
    [Math.abs(Number(o.memory_limit) - e.limits.memoryBytes) < 65536, 'no memory limit'],
    [swapOff, 'swap is not limited'],
    [o.pids_limit === String(e.limits.pids), 'no limit on processes'],
    [Math.abs(quota - e.limits.cpus) < 0.01, 'no limit on CPU'],
    [o.rlimit_fsize === LIMITS.fileBytes, 'no limit on file size'],
    [o.hostname === 'reenact', 'the host name is not fixed'],
  ];
  return checks.filter(([ok]) => !ok).map(([, text]) => text);
}

/** Throws when the sandbox does not hold; returns what is degraded, if anything. */
export function judgeProbe(observed: Observed, expected: Expected, hostHasSwap: boolean): string[] {
  const refused = refusals(observed, expected);
  if (refused.length > 0)
    throw new Fault('sandbox_not_enforced', `the engine does not enforce the sandbox: ${refused.join('; ')}`);
  return degradations(observed, expected, hostHasSwap);
}
