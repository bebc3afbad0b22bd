/** Tracebacks of Python (library reference, traceback and faulthandler): an exception's stack oldest first, a fatal error's newest first. */

import { itemAt, present } from '../../base/list.ts';
import { type Frame, type Thread, TRACE_LIMITS, type Trace } from '../model/trace.ts';
import { cutBy } from './cut.ts';
import type { TraceFile, TraceFormat } from './format.ts';
import { linesOf, Stacks } from './stacks.ts';

/** Groups of exceptions draw a margin before each line. */
const MARGIN = /^[ |+]*(?=(?:Traceback|Exception Group Traceback|File|\[Previous|[A-Za-z_]))/;
const FIRST = /^(?:Exception Group )?Traceback \(most recent call last\):$/;
const THREAD = /^(Current thread|Thread) 0x([0-9a-f]{1,16}) .*\(most recent call first\):$/;
const FRAME = /^File "(.{1,4096})", line (\d{1,10})(?:, in | in )(.{1,512})$/;
const REPEATED = /^\[Previous line repeated (\d{1,9}) more times?\]$/;
const ERROR = /^((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*)(?::|$)/;
const FATAL = /^Fatal Python error: (.{1,64})/;
const SIGNALS: Readonly<Record<string, string>> = {
  'Segmentation fault': 'SIGSEGV',
  Aborted: 'SIGABRT',
  'Bus error': 'SIGBUS',
  'Floating point exception': 'SIGFPE',
  'Floating-point exception': 'SIGFPE',
  'Illegal instruction': 'SIGILL',
};

class Tracebacks {
  private readonly file: TraceFile;
  readonly stacks: Stacks;
  signal: string | null = null;
  private reading: 'oldest first' | 'newest first' | null = null;
  private thread: Thread | null = null;

  constructor(file: TraceFile) {
    this.file = file;
    this.stacks = new Stacks(file);
  }

  private begin(reading: 'oldest first' | 'newest first', crashed: boolean): void {
    this.end();
    [this.reading, this.thread] = [reading, this.stacks.begin(crashed)];
  }

  /** A stack that was printed oldest first is reversed. */
  end(): void {
    if (this.reading === 'oldest first') this.thread?.frames.reverse();
    [this.reading, this.thread] = [null, null];
  }

  private repeat(count: number): void {
    const last: Frame | undefined = this.thread?.frames.at(-1);
    if (!last) return;
    if (count > TRACE_LIMITS.frames) throw this.file.wrong(`a line repeated ${count} times`);
    const { claimed, ...frame } = last;
    for (let n = 0; n < count; n++) this.stacks.add({ ...frame, name: claimed });
  }

  read(line: string): void {
    const text = line.replace(MARGIN, '').trim();
    const [, current] = THREAD.exec(text) ?? [];
    const [, path, number, name] = FRAME.exec(text) ?? [];
    if (FIRST.test(text)) this.begin('oldest first', false);
    else if (current !== undefined)
      this.begin('newest first', current === 'Current thread' && this.signal !== null);
    else if (this.reading !== null && path !== undefined)
      this.stacks.add({ ...this.stacks.script('python', path, Number(number)), name: name! });
    else if (this.reading === 'newest first' && text === '...' && this.thread)
      this.thread.ended = cutBy('faulthandler', 'it prints at most 100 frames');
    else if (REPEATED.test(text)) this.repeat(Number(present(REPEATED.exec(text))[1]));
    else if (FATAL.test(text))
      this.signal = SIGNALS[itemAt(present(FATAL.exec(text)), 1)] ?? itemAt(present(FATAL.exec(text)), 1);
    else if (this.reading === 'oldest first' && /^(?:[ |+]*)\S/.test(line) && !/^[ |+]*\s{4}/.test(line))
      this.error(text);
  }

  /** The line behind a stack says what was raised; a later exception replaces an earlier one. */
  private error(text: string): void {
    const [, name] = ERROR.exec(text) ?? [];
    if (name === undefined) return;
    this.signal = name;
    this.end();
  }
}

function fromPython(file: TraceFile): Trace {
  const found = new Tracebacks(file);
  for (const line of linesOf(file.text)) found.read(line);
  found.end();
  const { stacks, signal } = found;
  // Where one exception led to another, the last one ended the program.
  const last = stacks.threads.at(-1);
  if (last && !stacks.threads.some(({ crashed }) => crashed)) last.crashed = true;
  return stacks.trace('python', signal);
}

export const python: TraceFormat = {
  name: 'python',
  title: 'a traceback of Python',
  recognise: ({ head }) =>
    /^[ |+]*(?:Exception Group )?Traceback \(most recent call last\):\r?$/m.test(head) ||
    /^(?:Current thread|Thread) 0x[0-9a-f]{1,16} .{0,64}\(most recent call first\):\r?$/m.test(head),
  parse: fromPython,
};
