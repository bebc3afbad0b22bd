/** The one schema of a trace. Who writes one by hand may leave members out; one that is kept has all of them, each in its longest form. */
import { memberPath, type Problem } from '../../base/json.ts';
import {
  array,
  boolean,
  closed,
  digestText,
  integer,
  nullable,
  object,
  oneOf,
  type Shape,
  string,
} from '../../base/shape.ts';
import {
  endedProblem,
  FRAME_TRUSTS,
  type Frame,
  type Thread,
  TRACE_LIMITS,
  type Trace,
  type TraceImage,
  type WalkEnd,
} from './trace.ts';

/** A trace as people and their programs write it (`reenact schema trace`). */
export interface WrittenTrace extends Pick<Trace, 'code' | 'fault_address'> {
  reenact_trace: 1;
  signal?: string | null;
  images: (Partial<TraceImage> & Pick<TraceImage, 'path'>)[];
  threads: (Pick<Thread, 'id' | 'ended'> & { crashed?: boolean; frames: Partial<Frame>[] })[];
}

const count = integer(0, Number.MAX_SAFE_INTEGER);
/** An address or distance. */
const hex = string({ pattern: /^0x[0-9a-f]{1,16}$/ });
/** Ids as they are written here: nothing in one means anything to a shell. */
const id = string({
  pattern: /^(?:(?:elf|pdb|macho|pe|sha256):[0-9A-Fa-f-]{1,128}|go:[A-Za-z0-9_/-]{16,128}|js:[0-9a-f]{32})$/,
});
const debugId = string({ pattern: /^[0-9A-F]{32}[0-9a-f]{1,8}$/ });
/** An si_code. */
const code = integer(-(2 ** 31), 2 ** 31 - 1);

/** How a walk ended, as traces and joined documents have it. */
export const endedShape: Shape<WalkEnd> = closed({
  outermost: boolean(),
  by: string({ max: 256 }),
  reason: nullable(string({ pattern: /^[a-z][a-z_]{0,39}$/ })),
  detail: nullable(string({ max: 4096 })),
  missing: nullable(count),
});

/** Both forms differ in how long a text may be: what a reader of another format took over is not cut. */
const membersOf = (text: Shape<string>, arch: Shape<string>) => ({
  image: {
    id: nullable(id),
    debug_id: nullable(debugId),
    path: text,
    arch: nullable(arch),
    base: nullable(hex),
    size: nullable(count),
    sha256: nullable(digestText()),
  },
  frame: {
    image: nullable(integer(0, TRACE_LIMITS.images - 1)),
    rel_addr: nullable(hex),
    ip: nullable(hex),
    activation: boolean(),
    trust: oneOf(...FRAME_TRUSTS),
    claimed: nullable(text),
  },
});

const written = membersOf(string({ max: 4096 }), string({ max: 64 }));
const kept = membersOf(string(), string());

const threadOf = <F>(frame: Shape<F>) => ({
  id: count,
  crashed: boolean(),
  ended: endedShape,
  frames: array(frame, { max: TRACE_LIMITS.frames }),
});

export const writtenTraceShape: Shape<WrittenTrace> = object(
  {
    reenact_trace: oneOf(1),
    signal: nullable(string({ max: 64 })),
    code,
    fault_address: hex,
    images: array(object(written.image, ['path']), { max: TRACE_LIMITS.images }),
    threads: array(object(threadOf(object(written.frame, [])), ['id', 'frames']), {
      min: 1,
      max: TRACE_LIMITS.threads,
    }),
  },
  ['reenact_trace', 'images', 'threads'],
  'Stack trace, version 1',
);

export const keptTraceShape: Shape<Trace> = closed(
  {
    format: string(),
    signal: nullable(string()),
    code,
    fault_address: hex,
    images: array(closed(kept.image), { max: TRACE_LIMITS.images }),
    threads: array(closed(threadOf(closed(kept.frame)), ['ended']), { min: 1, max: TRACE_LIMITS.threads }),
  },
  ['code', 'fault_address'],
);

/** The JSON Schema of our own form. */
export function traceSchema(): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Reenact trace',
    ...writtenTraceShape.schema(),
  };
}

/** Adds what is wrong with what is said of the walks' ends, each with its path: no single member can hold it. */
export function checkEnds(threads: Pick<Thread, 'ended'>[], problems: Problem[]): void {
  for (const [t, { ended }] of threads.entries()) {
    const message = ended && endedProblem(ended);
    if (message) problems.push({ path: memberPath('$.threads', `${t}.ended`), message });
  }
}
