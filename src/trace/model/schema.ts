/** The one schema of a trace. Who writes one by hand may leave members out; one that is kept has all of them, each in its longest form. */
import { memberPath, type Problem } from '../../base/json.ts';
import {
  array,
  boolean,
  closed,
  described,
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
export const endedShape: Shape<WalkEnd> = closed(
  described(
    {
      outermost:
        'Whether the last frame is the outermost one; false: the walk was cut, and frames are missing',
      by: 'The walker, such as "reenact" or "PID 1"',
      reason: 'Why the walk was cut, as a code; null where it was not',
      detail: 'Why the walk was cut, in words; null where nothing more is said',
      missing: 'How many frames are known to be missing; null: an unknown number',
    },
    {
      outermost: boolean(),
      by: string({ max: 256 }),
      reason: nullable(string({ pattern: /^[a-z][a-z_]{0,39}$/ })),
      detail: nullable(string({ max: 4096 })),
      missing: nullable(count),
    },
  ),
);

const IMAGE_WORDS = {
  id: 'Its id, as "reenact symbols id" writes it; null or left out: unknown',
  debug_id: 'Its debug id in the form of Breakpad and Sentry; null or left out: unknown',
  path: 'The file that was loaded, as the sender names it',
  arch: 'Processor architecture, such as x86_64; null or left out: unknown',
  base: 'Address of its beginning, hexadecimal; null or left out: unknown',
  size: 'How many bytes of addresses it takes; null or left out: unknown',
  sha256: 'Digest of the very file that was loaded; null or left out: not taken',
};

const FRAME_WORDS = {
  image: 'Which of images it lies in, counted from 0; null or left out: in none that the trace names',
  rel_addr:
    'Distance from the image’s beginning, hexadecimal; a return address as it was, not moved into the call; null or left out: unknown',
  ip: 'Address of the instruction, hexadecimal; null or left out: unknown',
  activation:
    'Whether the thread stood at this instruction; else it is a return address, and the call lies before it',
  trust:
    'How it was found: context: by the registers; cfi: by tables; fp: by the frame pointer; scan: by searching the stack; prewalked: by the sender; unknown: not said',
  claimed: 'What the sender calls it, which proves nothing; null or left out: nothing',
};

const THREAD_WORDS = {
  id: 'Number of the thread',
  crashed: 'Whether this thread crashed',
  ended: 'How the walk of its stack ended; left out: unknown whether these frames are all',
  frames: 'Its frames, innermost first',
};

const TRACE_WORDS = {
  signal: 'What ended the program, for example SIGSEGV or EXC_BAD_ACCESS; null or left out: unknown',
  code: 'The signal’s si_code, of sigaction(2); left out: unknown',
  fault_address: 'Address of the fault, hexadecimal; left out: unknown, or nothing faulted',
  images: 'Programs and libraries that were loaded',
  threads: 'The threads whose stacks are known',
};

/** Both forms differ in how long a text may be: what a reader of another format took over is not cut. */
const membersOf = (text: Shape<string>, arch: Shape<string>) => ({
  image: described(IMAGE_WORDS, {
    id: nullable(id),
    debug_id: nullable(debugId),
    path: text,
    arch: nullable(arch),
    base: nullable(hex),
    size: nullable(count),
    sha256: nullable(digestText()),
  }),
  frame: described(FRAME_WORDS, {
    image: nullable(integer(0, TRACE_LIMITS.images - 1)),
    rel_addr: nullable(hex),
    ip: nullable(hex),
    activation: boolean(),
    trust: oneOf(...FRAME_TRUSTS),
    claimed: nullable(text),
  }),
});

const written = membersOf(string({ max: 4096 }), string({ max: 64 }));
const kept = membersOf(string(), string());

const threadOf = <F>(frame: Shape<F>) =>
  described(THREAD_WORDS, {
    id: count,
    crashed: boolean(),
    ended: endedShape,
    frames: array(frame, { max: TRACE_LIMITS.frames }),
  });

export const writtenTraceShape: Shape<WrittenTrace> = object(
  described(
    { reenact_trace: 'Version of this format', ...TRACE_WORDS },
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
  ),
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
