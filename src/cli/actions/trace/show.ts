/** reenact trace show: a stack trace as it was read, whatever form it came in. */
import { existsSync } from 'node:fs';

import { EXIT } from '../../../base/fault.ts';
import { decodePlace, isScript } from '../../../objects/script/place.ts';
import { safeLine } from '../../../report/human.ts';
import type { Frame, Thread, Trace, TraceImage } from '../../../trace/model/trace.ts';
import type { Arguments } from '../../arguments.ts';
import { withReenact } from '../../shared/door.ts';
import { onePositional } from '../../shared/positionals.ts';
import { programsOf } from '../../shared/programs.ts';

/** Behind an image's name: how far in it, or the line and column of a script. */
function offset({ rel_addr }: Frame, { arch }: TraceImage): string {
  const script = isScript(arch) && rel_addr !== null ? decodePlace(rel_addr) : null;
  if (!script) return `+${rel_addr}`;
  return `:${script.line}${script.column === 0 ? '' : `:${script.column}`}`;
}

/** The place as far as the trace states it; the sender's claim about it stands in brackets. */
function frameText(frame: Frame, trace: Trace): string {
  const image = frame.image === null ? undefined : trace.images[frame.image];
  const place = image
    ? `${image.path || image.id || 'an image without a name'}${offset(frame, image)}`
    : frame.ip;
  const claimed = frame.claimed === null ? '' : ` [${frame.claimed}]`;
  return `${place ?? 'no address'}${claimed}${frame.trust === 'scan' ? ' (found by searching the stack)' : ''}`;
}

/** A stack that was cut looks like a short one. */
function endText({ ended }: Thread): string {
  if (!ended || ended.outermost) return '';
  const missing = ended.missing === null ? 'an unknown number of frames is' : `${ended.missing} frames are`;
  return `    cut by ${safeLine(ended.by)} (${ended.reason}) ${safeLine(ended.detail ?? '')}\n         ${missing} missing\n`;
}

function threadText(thread: Thread, trace: Trace): string {
  const frames = thread.frames.map(
    (frame, n) => `    ${String(n).padEnd(4)}${safeLine(frameText(frame, trace))}\n`,
  );
  return `  thread ${thread.id}${thread.crashed ? ', which crashed' : ''}\n${frames.join('')}${endText(thread)}`;
}

function signalText({ signal, code, fault_address }: Trace): string {
  if (signal === null) return '';
  const fault = fault_address === undefined ? '' : ` at ${fault_address}`;
  return safeLine(`, ${signal}${code === undefined ? '' : ` (code ${code})`}${fault}`);
}

function traceText(path: string, trace: Trace, all: boolean): string {
  const { threads, images } = trace;
  const crashed = threads.filter((thread) => thread.crashed);
  const shown = all || crashed.length === 0 ? threads : crashed;
  const used = new Set(shown.flatMap((thread) => thread.frames.map((frame) => frame.image)));
  const named = images.filter((_, i) => used.has(i));
  const ids = named.map(
    ({ path: name, id }) => `    ${safeLine(`${name || 'without a name'}  ${id ?? 'no id'}`)}\n`,
  );
  const left = threads.length - shown.length;
  return (
    `${safeLine(path)}: ${trace.format}${signalText(trace)}${crashed.length === 0 ? ', no thread crashed' : ''}\n` +
    shown.map((thread) => threadText(thread, trace)).join('') +
    (left > 0 ? `  ${left} more threads: --all shows them\n` : '') +
    (ids.length > 0 ? `  images\n${ids.join('')}` : '')
  );
}

/** What is no file, and can be the beginning of a stored trace's id. */
const TRACE_ID = /^(?:sha256:)?[0-9a-f]{6,64}$/;

export async function traceShow(a: Arguments): Promise<number> {
  const path = onePositional(a, 'trace: a file, or its id in the store');
  const stored = TRACE_ID.test(path) && !existsSync(path);
  const trace = await withReenact({ store: a.text('store') }, (reenact) =>
    stored ? reenact.storedTrace(path, programsOf(a)) : reenact.readTrace(path, programsOf(a)),
  );
  if (a.json) a.json.one(trace);
  else process.stdout.write(traceText(path, trace, a.flag('all')));
  return EXIT.ok;
}
