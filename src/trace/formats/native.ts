/** Our own form of a trace, as a program of the user's may write it: `reenact schema trace`. */
import { memberPath, type Problem, showProblem } from '../../base/json.ts';
import { array, nullable, object, oneOf, type Shape, string } from '../../base/shape.ts';
import { isStored, readStored } from '../model/stored.ts';
import {
  codeShape,
  endedProblem,
  type Frame,
  hexShape,
  imageShape,
  type Thread,
  TRACE_LIMITS,
  type Trace,
  type TraceImage,
  threadShape,
  traceImage,
} from '../model/trace.ts';
import type { TraceFile, TraceFormat } from './format.ts';

const traceShape: Shape = object(
  {
    reenact_trace: oneOf(1),
    signal: nullable(string({ max: 64 })),
    code: codeShape,
    fault_address: hexShape,
    images: array(imageShape, { max: TRACE_LIMITS.images }),
    threads: array(threadShape, { min: 1, max: TRACE_LIMITS.threads }),
  },
  ['reenact_trace', 'images', 'threads'],
  'Stack trace, version 1',
);

/** The JSON Schema of our own form. */
export function traceSchema(): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Reenact trace',
    ...traceShape.schema(),
  };
}

/** The first frame of a thread is where it stood, unless it says otherwise. */
function whole(frame: Partial<Frame>, n: number): Frame {
  return {
    image: null,
    rel_addr: null,
    ip: null,
    activation: n === 0,
    trust: 'unknown',
    claimed: null,
    ...frame,
  };
}

/** A form whose every field is checked: what is wrong is named by its path. */
function checkedAs(read: typeof readNative): (file: TraceFile) => Trace {
  return (file) => {
    const problems: Problem[] = [];
    const trace = read(file.members, problems);
    if (problems.length > 0) throw file.wrong(problems.slice(0, 10).map(showProblem).join('; '));
    return trace;
  };
}

export const native: TraceFormat = {
  name: 'native',
  title: 'a trace of ours (reenact_trace)',
  recognise: (file) => file.has('reenact_trace'),
  parse: checkedAs(readNative),
};

/** As `reenact bundle extract` gives it back. */
export const stored: TraceFormat = {
  name: 'stored',
  title: 'one that a store or bundle kept',
  recognise: (file) => isStored(file.members),
  parse: checkedAs(readStored),
};

/** What is wrong is added to `problems`, with its path. */
function readNative(value: unknown, problems: Problem[]): Trace {
  traceShape.check(value, '$', problems);
  if (problems.length > 0) return { format: 'native', signal: null, images: [], threads: [] };
  const given = value as Pick<Trace, 'code' | 'fault_address'> & {
    signal?: string;
    images: Partial<TraceImage>[];
    threads: Partial<Thread>[];
  };
  const threads = given.threads.map((thread) => ({
    id: thread.id!,
    crashed: thread.crashed ?? given.threads.length === 1,
    frames: thread.frames!.map(whole),
    ...(thread.ended ? { ended: thread.ended } : {}),
  }));
  for (const [t, thread] of threads.entries()) {
    const wrong = thread.ended && endedProblem(thread.ended);
    if (wrong) problems.push({ path: memberPath(memberPath('$', 'threads'), `${t}.ended`), message: wrong });
    for (const [n, { image, rel_addr, ip }] of thread.frames.entries())
      if (rel_addr === null ? ip === null : image === null)
        problems.push({
          path: memberPath(memberPath('$', 'threads'), `${t}.frames.${n}`),
          message: 'has neither ip nor both image and rel_addr',
        });
  }
  return {
    format: 'native',
    signal: given.signal ?? null,
    ...(given.code === undefined ? {} : { code: given.code }),
    ...(given.fault_address === undefined ? {} : { fault_address: given.fault_address }),
    images: given.images.map(traceImage),
    threads,
  };
}
