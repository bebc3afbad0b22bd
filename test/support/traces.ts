/** One trace of each form, as small as it can be and still go wrong. */

import type { Trace } from '../../src/trace/model/trace.ts';
import { readTrace } from '../../src/trace/read.ts';

/** A trace of any form, from its text or the object that it is in JSON. */
export const read = (content: unknown): Trace =>
  readTrace(Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)), 'trace');

export const ID = 'f1c3bcc0279865fe3058404b2831d9e64135386c';
export const DEBUG = 'C0BCC3F19827FE653058404B2831D9E60';
export const GUID = '3249D99D0C4049318610F4E4FB0B6936';

export const SENTRY: Record<string, unknown> = {
  exception: {
    values: [
      {
        type: 'SIGSEGV',
        thread_id: 9,
        stacktrace: {
          frames: [
            { instruction_addr: '0x7f0000000100', trust: 'scan' },
            { instruction_addr: '0x500000002000', trust: 'fp', function: 'main' },
            { instruction_addr: '0x500000001ec7', trust: 'context', function: 'callback' },
          ],
        },
      },
    ],
  },
  threads: { values: [{ id: 9 }, { id: 10, stacktrace: { frames: [{ instruction_addr: 4096 }] } }] },
  debug_meta: {
    images: [
      {
        type: 'elf',
        code_id: ID,
        debug_id: 'c0bcc3f1-9827-fe65-3058-404b2831d9e6',
        code_file: '/bin/crash',
        image_addr: '0x500000000000',
        image_size: 8192,
        arch: 'x86_64',
      },
      {
        type: 'pe',
        debug_id: '3249d99d-0c40-4931-8610-f4e4fb0b6936-1',
        code_file: 'C:\\crash.exe',
        image_addr: '0x400000',
        image_size: 36864,
      },
    ],
  },
};

export const IPS: string = [
  { app_name: 'crash', bug_type: '309', incident_id: 'x' },
  {
    exception: { type: 'EXC_BAD_ACCESS', signal: 'SIGSEGV' },
    faultingThread: 1,
    threads: [
      { id: 100, frames: [{ imageOffset: 64, imageIndex: 0 }] },
      {
        id: 200,
        triggered: true,
        frames: [
          { imageOffset: 0xdc15, imageIndex: 0, symbol: 'crash', symbolLocation: 5 },
          { imageOffset: 12345, imageIndex: 1 },
        ],
      },
    ],
    usedImages: [
      {
        uuid: '67E9247C-814E-392B-A027-DBDE6748FCBF',
        base: 4294967296,
        size: 65536,
        path: '/a/crash',
        arch: 'x86_64',
      },
      { uuid: '00000000-0000-0000-0000-000000000000', base: 0, size: 0 },
    ],
  },
]
  .map((part) => JSON.stringify(part))
  .join('\n');

export const SYSTEMD: Record<string, unknown> = {
  COREDUMP_SIGNAL_NAME: 'SIGSEGV',
  MESSAGE: `Process 7 (crash) of user 0 dumped core.

Module /usr/bin/crash with build-id ${ID}
Module libc.so.6 from deb glibc-2.36-9.amd64 with build-id 0102
Stack trace of thread 7:
#0  0x0000500000001ec7 callback (crash + 0x1ec7)
#1  0x00007f0000000100 n/a (n/a + 0x0)
#2  0x00007f0000020000 __libc_start_main (libc.so.6 + 0x27249)

Stack trace of thread 8:
#0  0x00007f0000000200 n/a (libother.so + 0x200)
ELF object binary architecture: AMD x86-64`,
};

export const STACKWALK: string = `OS|Windows NT|5.1.2600
CPU|x86|GenuineIntel|1
Crash|EXCEPTION_ACCESS_VIOLATION|0x45|0
Module|crash.exe||crash.pdb|${GUID}1|0x00400000|0x00408fff|1
Module|other.dll||other.pdb|00000000000000000000000000000000|0x10000000|0x10000fff|0

0|0|crash.exe|||| 0x2a3d
0|1|crash.exe|start|c:\\main.cpp|28|0x5
0|2|||||0x77
1|0|other.dll||||0x10
`.replace('| 0x2a3d', '|0x2a3d');

export const NATIVE: Record<string, unknown> = {
  reenact_trace: 1,
  signal: 'SIGABRT',
  images: [{ path: '/bin/crash', id: `elf:${ID}` }],
  threads: [{ id: 1, frames: [{ image: 0, rel_addr: '0x1ec7' }, { ip: '0x10' }] }],
};
