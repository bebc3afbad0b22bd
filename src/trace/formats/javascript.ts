/** Stacks of JavaScript as engines print them: V8 (v8.dev/docs/stack-trace-api) in one way, SpiderMonkey and JavaScriptCore in another. */

import { lastItem, present } from '../../base/list.ts';
import { encodePlace } from '../../objects/script/place.ts';
import {
  type Frame,
  type Thread,
  TRACE_LIMITS,
  type Trace,
  type TraceImage,
  traceImage,
} from '../model/trace.ts';
import { HEAD_BYTES, type TraceFormat } from './format.ts';
import { linesOf } from './stacks.ts';

interface Line {
  name: string | null;
  file: string | null;
  line: number;
  column: number;
}

/** The numbers at the end of a place; a file's name has colons of its own. */
const PLACE = /:(\d{1,10}):(\d{1,10})$/;
const LINE_ONLY = /:(\d{1,10})$/;
const ERROR = /^(?:Uncaught )?((?:[A-Za-z_$][\w$.]{0,127})?(?:Error|Exception))(?::| \[|$)/;

function placed(name: string, place: string, numbers: RegExpExecArray | null): Line {
  // Code that eval made is in no file, and its places count from its own beginning.
  const file = numbers && !/^eval at |> (?:eval|Function)$/.test(place.slice(0, numbers.index));
  return {
    name: name === '' ? null : name,
    file: file ? place.slice(0, numbers.index) : null,
    line: Number(numbers?.[1] ?? 0),
    column: Number(numbers?.[2] ?? 0),
  };
}

/** `    at async name (place)`, or `    at place`. */
function v8Line(text: string): Line | undefined {
  if (!/^\s*at /.test(text)) return undefined;
  const rest = text
    .trim()
    .slice(3)
    .replace(/^async /, '')
    // Node writes what else an error has behind its stack, in braces.
    .replace(/ \{$/, '');
  const open = rest.endsWith(')') ? rest.indexOf(' (') : -1;
  const place = open < 0 ? rest : rest.slice(open + 2, -1);
  const numbers = PLACE.exec(place);
  if (open < 0) return placed(numbers ? '' : rest, place, numbers);
  return placed(rest.slice(0, open), place, numbers);
}

/** `name@place`, or a place alone; old engines wrote no column. */
function otherLine(text: string): Line | undefined {
  const at = text.indexOf('@');
  const place = text.slice(at + 1);
  const numbers = PLACE.exec(place) ?? LINE_ONLY.exec(place);
  const name = text.slice(0, Math.max(0, at)).replace(/^(?:async|promise callback)\*/, '');
  if (at < 0) return numbers?.[2] && /^\w+:\/\/\S+$/.test(place) ? placed('', place, numbers) : undefined;
  if (!numbers) return place === '[native code]' ? placed(name, place, null) : undefined;
  return /\s/.test(place.replace(/ line \d+ > (?:eval|Function)/g, ''))
    ? undefined
    : placed(name, place, numbers);
}

type Reader = (line: string) => Line | undefined;

/** Which of the two wrote it: decided by the first line that has a place in a file. Rust's backtraces have lines like V8's. */
function readerOf(text: string): Reader | undefined {
  for (const line of linesOf(text.slice(0, HEAD_BYTES)))
    for (const reader of [v8Line, otherLine])
      if (!(reader(line)?.file ?? '.rs').endsWith('.rs')) return reader;
  return undefined;
}

/** Whether a text has a frame of JavaScript at its beginning. */
function isJavaScript(text: string): boolean {
  return readerOf(text) !== undefined;
}

/** The images of scripts by their files or URLs, made as they are met. */
export class Scripts {
  private readonly known = new Map<string, number>();
  private readonly images: TraceImage[];

  /** Adds to `images`; those already there are found by their paths. */
  constructor(images: TraceImage[]) {
    this.images = images;
    for (const [index, { path, arch }] of images.entries())
      if (arch === 'javascript') this.known.set(path, index);
  }

  /** The frame at a place; one in no file keeps its name only. */
  frame({ name, file, line, column }: Line): Frame {
    const rel_addr = file === null ? null : encodePlace(line, column);
    // A place in a script is that of the call itself: nothing lies before it.
    const frame: Frame = {
      ...{ image: null, rel_addr, ip: null, activation: true, trust: 'prewalked', claimed: name },
    };
    if (rel_addr === null) return frame;
    frame.image = this.known.get(present(file)) ?? null;
    if (frame.image === null) {
      frame.image = this.images.push(traceImage({ path: present(file), arch: 'javascript' })) - 1;
      this.known.set(present(file), frame.image);
    }
    return frame;
  }
}

/** Asked last: Rust, Java, .NET and others have lines like these. */
export const javascript: TraceFormat = {
  name: 'javascript',
  title: 'a stack of JavaScript',
  recognise: (file) => typeof file.members.stack === 'string' || isJavaScript(file.head),
  parse: ({ members: { stack }, text }) => fromJavaScript(typeof stack === 'string' ? stack : text),
};

/** The first stack is that of the error; those of its causes follow, each as a thread. No engine says of which build a script is. */
function fromJavaScript(text: string): Trace {
  const reader = readerOf(text) ?? v8Line;
  const images: TraceImage[] = [];
  const scripts = new Scripts(images);
  const threads: Thread[] = [];
  let [signal, inside, frames]: [string | null, boolean, number] = [null, false, 0];
  for (const line of linesOf(text)) {
    const found = reader(line);
    if (!found) {
      if (threads.length === 0) signal = ERROR.exec(line)?.[1] ?? signal;
      inside = false;
      continue;
    }
    if (!inside) threads.push({ id: threads.length, crashed: threads.length === 0, frames: [] });
    inside = true;
    lastItem(threads).frames.push(scripts.frame(found));
    // Reads one more than the limit, so that the trace is refused as too large without filling more memory.
    if (++frames > TRACE_LIMITS.frames) break;
  }
  return { format: 'javascript', signal, images, threads };
}
