/** reenact trace show: a stack trace as it was read, whatever form it came in. */
import { open, readFile } from 'node:fs/promises';

import { asFault, EXIT, Fault } from '../base/fault.ts';
import { safeLine } from '../report/human.ts';
import { CORE_HEAD_BYTES, fromCore, isCore } from '../trace/from/core.ts';
import { readTrace } from '../trace/read.ts';
import { decodePlace } from '../trace/script-place.ts';
import {
  checked,
  type Frame,
  type Thread,
  TRACE_LIMITS,
  type Trace,
  type TraceImage,
  wrongTrace,
} from '../trace/trace.ts';
import { parseOptions } from './options.ts';

async function read(path: string): Promise<Trace> {
  try {
    const file = await open(path);
    try {
      // A core is read by others, and may be larger than any text.
      const { buffer, bytesRead } = await file.read(Buffer.alloc(CORE_HEAD_BYTES), 0, CORE_HEAD_BYTES, 0);
      if (isCore(buffer.subarray(0, bytesRead))) return checked(await fromCore(path), path);
      const { size } = await file.stat();
      if (size > TRACE_LIMITS.fileBytes)
        throw wrongTrace(path, `${size} bytes, at most ${TRACE_LIMITS.fileBytes} are read`);
      return readTrace(await readFile(path), path);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw asFault('trace_invalid', `${path} cannot be read`, error);
  }
}

/** Behind an image's name: how far in it, or the line and column of a script. */
function offset({ rel_addr }: Frame, { arch }: TraceImage): string {
  const script = arch === 'javascript' && rel_addr !== null ? decodePlace(rel_addr) : null;
  if (!script) return `+${rel_addr}`;
  return `:${script.line}${script.column === 0 ? '' : `:${script.column}`}`;
}

/** The place as far as the trace says it; what somebody claims of it stands in brackets. */
function frameText(frame: Frame, trace: Trace): string {
  const image = frame.image === null ? undefined : trace.images[frame.image];
  const place = image
    ? `${image.path || image.id || 'an image without a name'}${offset(frame, image)}`
    : frame.ip;
  const claimed = frame.claimed === null ? '' : ` [${frame.claimed}]`;
  return `${place ?? 'no address'}${claimed}${frame.trust === 'scan' ? ' (found by searching the stack)' : ''}`;
}

function threadText(thread: Thread, trace: Trace): string {
  const frames = thread.frames.map(
    (frame, n) => `    ${String(n).padEnd(4)}${safeLine(frameText(frame, trace))}\n`,
  );
  return `  thread ${thread.id}${thread.crashed ? ', which crashed' : ''}\n${frames.join('')}`;
}

function traceText(path: string, trace: Trace, all: boolean): string {
  const { threads, images, signal } = trace;
  const crashed = threads.filter((thread) => thread.crashed);
  const shown = all || crashed.length === 0 ? threads : crashed;
  const used = new Set(shown.flatMap((thread) => thread.frames.map((frame) => frame.image)));
  const named = images.filter((_, i) => used.has(i));
  const ids = named.map(
    ({ path: name, id }) => `    ${safeLine(`${name || 'without a name'}  ${id ?? 'no id'}`)}\n`,
  );
  const left = threads.length - shown.length;
  return (
    `${safeLine(path)}: ${trace.format}${signal === null ? '' : safeLine(`, ${signal}`)}\n` +
    shown.map((thread) => threadText(thread, trace)).join('') +
    (left > 0 ? `  ${left} more threads: --all shows them\n` : '') +
    (ids.length > 0 ? `  images\n${ids.join('')}` : '')
  );
}

export async function traceCommand([what, ...args]: string[]): Promise<number> {
  if (what !== 'show') throw new Fault('usage', 'say what to do: reenact trace show FILE');
  const a = parseOptions('trace show', args);
  const [path, ...more] = a.positionals;
  if (path === undefined || more.length > 0) throw new Fault('usage', 'name one trace');
  const trace = await read(path);
  process.stdout.write(
    a.flag('json') ? `${JSON.stringify(trace, null, 2)}\n` : traceText(path, trace, a.flag('all')),
  );
  return EXIT.ok;
}
