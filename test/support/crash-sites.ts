/** Crashes as PID 1 records them, made without a sandbox. */
import type { Digest } from '../../src/base/digest.ts';
import type { Crash } from '../../src/sandbox/crash.ts';

type Frame = Crash['frames'][number];

/** In the file `path`; without a name where none was given. */
export function inModule(
  path: string,
  offset: string,
  name?: string | null,
  by: Frame['by'] = 'unwind_table',
): Frame {
  return {
    area: 'module',
    module: path,
    build_id: BUILD_IDS[path] ?? null,
    offset,
    by,
    ...(name === undefined ? {} : { function: name === null ? null : { name, offset: '0x1' } }),
  };
}

/** In memory that is no file's. */
export function inArea(area: Frame['area'], offset: string | null, by: Frame['by'] = 'frame_pointer'): Frame {
  return { area, module: null, build_id: null, offset, by };
}

const BUILD_IDS: Record<string, string> = { '/usr/bin/app': 'aa11', '/lib/libc.so.6': 'cc33' };
const DIGEST = `sha256:${'d'.repeat(64)}` as Digest;

/** A fault at a null pointer, but for what is said otherwise. */
export function crashAt(frames: Frame[], more: Partial<Crash> = {}): Crash {
  const paths = [...new Set(frames.flatMap(({ module }) => module ?? []))];
  return {
    process: { pid: 20, parent: 0, program: '/usr/bin/app' },
    signal: 'SIGSEGV',
    code: 1,
    fault: { area: 'null', module: null, build_id: null, offset: '0x8', address: '0x8' },
    thread: 20,
    threads: [20],
    thread_count: 1,
    frames: frames.map((frame, i) => (i === 0 ? { ...frame, by: 'counter' } : frame)),
    walk_ended: 'outermost',
    modules: paths.map((path) => ({
      path,
      base: '0x400000',
      build_id: BUILD_IDS[path] ?? null,
      sha256: DIGEST,
      not_hashed: null,
    })),
    modules_left_out: 0,
    registers: { rip: '0x401000', rsp: '0x7fffffffe000' },
    core: null,
    ...more,
  };
}

/** One that was sent by the program to itself, as abort does. */
export function sentAt(frames: Frame[], more: Partial<Crash> = {}): Crash {
  return crashAt(frames, { signal: 'SIGABRT', code: -6, fault: null, ...more });
}
