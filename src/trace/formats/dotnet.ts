/** Stack traces of .NET as Exception.ToString prints them, by its own runtime and by Mono: methods, files and lines. */
import type { Trace } from '../model/trace.ts';
import type { TraceFile, TraceFormat } from './format.ts';
import { linesOf, Stacks } from './stacks.ts';

const ERROR =
  /^(?:Unhandled exception\.? ?|Unhandled Exception:\s*|\[ERROR\] FATAL UNHANDLED EXCEPTION: )?((?:[A-Za-z_]\w*\.)+[A-Za-z_]\w*)(?::| --->|$)/;
const INNER = /^\s*--- End of inner exception stack trace ---$/;
/** Where a task's exception was thrown again; the same stack goes on behind it. */
const AGAIN = /^\s*--- End of stack trace from previous location/;
/** Mono names no file for a method without debug information, but the module's version in its place. */
const MONO_MODULE = /^<[0-9a-f]{32}(?:#[0-9a-f]{32})?>$/;
const HEADER = /^(?:Unhandled exception\b|Unhandled Exception:|\[ERROR\] FATAL UNHANDLED EXCEPTION:)/m;

interface Line {
  method: string;
  path: string | null;
  line: number;
}

/** `at METHOD(PARAMETERS) in FILE:line N`; Mono writes `[0xOFFSET] in FILE:N` behind the brackets. */
function lineOf(text: string): Line | undefined {
  const rest = text.trimStart();
  if (!rest.startsWith('at ') || !rest.includes('(')) return undefined;
  const ends = [rest.indexOf(') in '), rest.indexOf(') [0x')].filter((at) => at >= 0);
  const end = ends.length > 0 ? Math.min(...ends) : rest.length - 1;
  if (rest[end] !== ')') return undefined;
  const method = rest.slice(3, end + 1);
  const behind = rest.slice(end + 1);
  const from = behind.indexOf(' in ');
  const [, path, line] = from < 0 ? [] : (/^(.+):(?:line )?(\d{1,10})$/.exec(behind.slice(from + 4)) ?? []);
  if (path === undefined) return behind === '' || from >= 0 ? { method, path: null, line: 0 } : undefined;
  return { method, path: MONO_MODULE.test(path) ? null : path, line: Number(line) };
}

/** An inner exception's frames stand before those of what it caused: the last stack is that of the exception itself. */
function fromDotnet(file: TraceFile): Trace {
  const stacks = new Stacks(file);
  let [signal, inside]: [string | null, boolean] = [null, false];
  for (const line of linesOf(file.text)) {
    const found = lineOf(line);
    if (found) {
      if (!inside) stacks.begin(false);
      inside = true;
      const { method, path } = found;
      const place = path === null ? { activation: true } : stacks.script('dotnet', path, found.line);
      stacks.add({ ...place, name: method });
    } else if (INNER.test(line)) inside = false;
    else if (!AGAIN.test(line)) {
      // What follows the first exception is another one with a stack of its own.
      if (inside) break;
      signal ??= ERROR.exec(line)?.[1] ?? null;
    }
  }
  const last = stacks.threads.at(-1);
  if (last) last.crashed = true;
  return stacks.trace('dotnet', signal);
}

export const dotnet: TraceFormat = {
  name: 'dotnet',
  title: 'a stack trace of .NET',
  recognise: ({ head }) => {
    const unhandled = HEADER.test(head);
    if (!unhandled && !head.includes(') in ') && !head.includes(') [0x')) return false;
    // Other runtimes write lines that begin like these: a single frame is recognised by its place.
    for (const line of linesOf(head)) {
      const found = lineOf(line);
      if (found && (unhandled || found.path !== null)) return true;
    }
    return false;
  },
  parse: fromDotnet,
};
