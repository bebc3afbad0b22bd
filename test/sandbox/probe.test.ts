import { describe, expect, it } from 'vitest';

import { LIMITS } from '../../src/base/limits.ts';
import { type Expected, judgeProbe, type Observed } from '../../src/sandbox/probe.ts';

const expected: Expected = {
  uid: 1000,
  gid: 1000,
  limits: { cpus: 1, memoryBytes: 1 << 30, pids: 64 },
  hasCase: true,
};
const good: Observed = {
  uid: 1000,
  gid: 1000,
  hostname: 'reenact',
  kernel: '6.1.0',
  machine: 'x86_64',
  no_new_privs: '1',
  seccomp: '2',
  cap_permitted: '0000000000000000',
  cap_bounding: '0000000000000000',
  seccomp_sentinel: 77,
  rlimit_core: 0,
  rlimit_fsize: LIMITS.fileBytes,
  memory_limit: String(1 << 30),
  memory_and_swap_limit: String(1 << 30),
  pids_limit: '64',
  cpu_quota_us: '100000',
  interfaces: 0,
  harness_write_errno: 30,
  case_write_errno: 30,
  work_write_errno: 0,
  work_entries: 0,
};

describe('the probe’s report', () => {
  it('passes when all is in force, under either cgroup version', () => {
    expect(judgeProbe(good, expected, true)).toEqual([]);
    const { memory_and_swap_limit: _v1, ...rest } = good;
    expect(judgeProbe({ ...rest, swap_limit: '0', cpu_quota_us: '100000 100000' }, expected, true)).toEqual(
      [],
    );
  });

  const refused: [string, Partial<Observed>][] = [
    ['no-new-privileges', { no_new_privs: '0' }],
    ['seccomp profile', { seccomp_sentinel: 1 }],
    ['seccomp profile', { seccomp: '0' }],
    ['capabilities', { cap_bounding: '00000000a80425fb' }],
    ['network interface', { interfaces: 1 }],
    ['network interface', { interfaces: -1 }],
    ['/harness can be written', { harness_write_errno: 13 }],
    ['/case can be written', { case_write_errno: 0 }],
    ['would run as 0:0', { uid: 0, gid: 0 }],
    ['/work cannot be written', { work_write_errno: 13 }],
    ['brings files in /work', { work_entries: 2 }],
    ['core files', { rlimit_core: -1 }],
  ];
  it.each(refused)('is refused: %s', (message, change) => {
    expect(() => judgeProbe({ ...good, ...change }, expected, false)).toThrow(message);
  });

  const degraded: [string, Partial<Observed>, boolean][] = [
    ['no memory limit', { memory_limit: '9223372036854771712' }, false],
    ['swap is not limited', { memory_and_swap_limit: '9' }, true],
    ['no limit on processes', { pids_limit: 'max' }, false],
    ['no limit on CPU', { cpu_quota_us: '-1' }, false],
    ['no limit on CPU', { cpu_quota_us: 'max 100000' }, false],
    ['no limit on file size', { rlimit_fsize: -1 }, false],
    ['the host name is not fixed', { hostname: 'box' }, false],
  ];
  it.each(degraded)('degrades: %s', (message, change, swap) => {
    expect(judgeProbe({ ...good, ...change }, expected, swap)).toEqual([message]);
  });
});
