/** What Breakpad's minidump_stackwalk -m prints: a line a module, then a line a frame, fields between bars. */

import { hex } from '../../base/hex.ts';
import {
  addressOf,
  type Frame,
  type Thread,
  type Trace,
  type TraceImage,
  traceImage,
} from '../model/trace.ts';
import { moduleIds } from './debug-ids.ts';
import type { TraceFormat } from './format.ts';
import { NamedModules } from './named-modules.ts';

function imageOf(system: string, fields: string[]): TraceImage {
  const [, code = '', , debug = '', id = '', from, to] = fields;
  const [base, end] = [addressOf(from), addressOf(to)];
  return traceImage({
    ...moduleIds(system, id),
    // Frames name the module by its code's file.
    path: code || debug,
    base: base === undefined ? null : hex(base),
    size: base === undefined || end === undefined || end < base ? null : Number(end - base) + 1,
  });
}

export const stackwalk: TraceFormat = {
  name: 'stackwalk',
  title: 'the output of minidump_stackwalk -m',
  recognise: ({ firstLine }) => /^(?:OS|CPU|Crash|Module)\|/.test(firstLine),
  parse: ({ text }) => fromStackwalk(text),
};

/** Where a function is named, the offset counts from it or from its line, so that the frame's own address is lost. */
function frameOf(fields: string[], modules: NamedModules): Frame {
  const [, number, module = '', name = '', , , offset] = fields;
  const address = addressOf(offset);
  const bare = name === '' && address !== undefined;
  const placed =
    bare && module !== ''
      ? modules.place(module, address, null)
      : { image: null, rel_addr: null, claimed: name === '' ? null : `${module}!${name}` };
  return {
    ...placed,
    ip: bare && module === '' ? hex(address) : null,
    activation: Number(number) === 0,
    trust: 'prewalked',
  };
}

function fromStackwalk(text: string): Trace {
  const modules = new NamedModules();
  const threads = new Map<string, Thread>();
  let [system, signal, crashed]: [string, string | null, string] = ['', null, ''];
  for (const line of text.split(/\r?\n/)) {
    const fields = line.split('|');
    const [first = '', second = ''] = fields;
    if (first === 'OS') system = second;
    // A dump that was written without a crash has no exception, and the thread that asked for it is no crashed one.
    else if (first === 'Crash' && second !== 'No crash')
      [signal, crashed] = [second || null, fields[3] ?? ''];
    else if (first === 'Module') modules.add(imageOf(system, fields));
    else if (/^\d{1,6}$/.test(first) && /^\d{1,6}$/.test(second) && fields.length >= 7) {
      const thread = threads.get(first) ?? { id: Number(first), crashed: first === crashed, frames: [] };
      threads.set(first, thread);
      thread.frames.push(frameOf(fields, modules));
    }
  }
  return { format: 'stackwalk', signal, images: modules.images, threads: [...threads.values()] };
}
