/** The crash of one of our own replays: modules with build-id and digest, frames as module and offset. */

import { hex } from '../../base/hex.ts';
import { itemAt, lastItem, present } from '../../base/list.ts';
import { elfIds } from '../../objects/common/identity.ts';
import { type Crash, showPlace } from '../../sandbox/crash.ts';
import { parseRecord } from '../../verdict/parse.ts';
import { type Frame, type FrameTrust, type Trace, traceImage, type WalkEnd } from '../model/trace.ts';
import type { TraceFormat } from './format.ts';

const TRUST: Record<Crash['frames'][number]['by'], FrameTrust> = {
  counter: 'context',
  frame_pointer: 'fp',
  unwind_table: 'cfi',
  signal_frame: 'context',
  call: 'cfi',
  instructions: 'cfi',
};

const BY = 'PID 1';
const VDSO = '[vdso]';

/** The codes are those of the crash record. */
function endOf({ walk_ended, frames }: Crash): WalkEnd {
  if (walk_ended === 'outermost') return { outermost: true, by: BY, reason: null, detail: null, missing: 0 };
  const last = lastItem(frames);
  const detail = `after frame ${frames.length - 1}, in ${showPlace(last)}`;
  return { outermost: false, by: BY, reason: walk_ended, detail, missing: null };
}

/** The beginning of what run --json prints. */
const RECORDS = /^\s*\[\s*\{\s*"record_version"/;

export const replay: TraceFormat = {
  name: 'replay',
  title: 'a replay record with a crash',
  recognise: (file) => file.has('record_version') || RECORDS.test(file.head),
  parse: (file) => {
    // The first crash stands for all, since equal replays have equal crashes.
    const found = parseRecord(file.bytes, file.name).replays.find(({ crash }) => crash);
    if (!found) throw file.wrong('no replay in this record has a crash');
    return fromCrash(present(found.crash));
  },
};

/** Code in the kernel's own pages is its vDSO, and called so in every trace. */
function claimOf({ area, offset }: Crash['frames'][number]): string {
  const name = area === 'kernel' ? '[vdso]' : area;
  return offset === null ? name : `${name}+${offset}`;
}

/** Only the thread that got the signal was walked. Our sandboxes run x86-64 alone, which is little-endian. */
export function fromCrash(crash: Crash): Trace {
  const images = crash.modules.map(({ path, base, build_id, sha256 }) =>
    traceImage({ ...elfIds(build_id), path, arch: 'x86_64', base, sha256 }),
  );
  // The kernel's own page has no file; cores name it as a module.
  if (crash.frames.some(({ area }) => area === 'kernel'))
    images.push(traceImage({ path: VDSO, arch: 'x86_64' }));
  const frames = crash.frames.map((place): Frame => {
    const name = place.area === 'kernel' ? VDSO : place.area === 'module' ? place.module : null;
    const found = name === null ? -1 : images.findIndex(({ path }) => path === name);
    const base = found < 0 ? null : itemAt(images, found).base;
    return {
      image: found < 0 ? null : found,
      rel_addr: found < 0 ? null : place.offset,
      ip: base === null || place.offset === null ? null : hex(BigInt(base) + BigInt(place.offset)),
      activation: place.by === 'counter' || place.by === 'signal_frame',
      trust: TRUST[place.by],
      claimed: found < 0 ? claimOf(place) : null,
    };
  });
  return {
    format: 'replay',
    signal: crash.signal,
    code: crash.code,
    ...(crash.fault ? { fault_address: crash.fault.address } : {}),
    images,
    threads: [{ id: crash.thread, crashed: true, frames, ended: endOf(crash) }],
  };
}
