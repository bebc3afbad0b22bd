/** Our own forms of a trace: one that a program of the user's may write (`reenact schema trace`), and one that was kept. */
import { memberPath, type Parsed, type Problem, showProblem } from '../../base/json.ts';
import { read } from '../../base/shape.ts';
import { checkEnds, writtenTraceShape } from '../model/schema.ts';
import { isStored, readStored } from '../model/stored.ts';
import { type Frame, type Trace, traceImage } from '../model/trace.ts';
import type { TraceFile, TraceFormat } from './format.ts';

/** The first frame of a thread is where it stood, unless the frame says otherwise. */
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

/** In this form every field is checked, and each problem is named by its path. */
function checkedAs(parse: (value: unknown) => Parsed<Trace>): (file: TraceFile) => Trace {
  return (file) => {
    const parsed = parse(file.members);
    if (!parsed.ok) throw file.wrong(parsed.problems.slice(0, 10).map(showProblem).join('; '));
    return parsed.value;
  };
}

function readNative(value: unknown): Parsed<Trace> {
  const parsed = read(writtenTraceShape, value);
  if (!parsed.ok) return parsed;
  const { reenact_trace: _, signal = null, ...given } = parsed.value;
  const threads = given.threads.map(({ crashed, frames, ...thread }) => ({
    ...thread,
    crashed: crashed ?? given.threads.length === 1,
    frames: frames.map(whole),
  }));
  const problems: Problem[] = [];
  checkEnds(threads, problems);
  for (const [t, thread] of threads.entries())
    for (const [n, { image, rel_addr, ip }] of thread.frames.entries())
      if (rel_addr === null ? ip === null : image === null)
        problems.push({
          path: memberPath('$.threads', `${t}.frames.${n}`),
          message: 'has neither ip nor both image and rel_addr',
        });
  if (problems.length > 0) return { ok: false, problems };
  const images = given.images.map(traceImage);
  return { ok: true, value: { ...given, format: 'native', signal, images, threads } };
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
