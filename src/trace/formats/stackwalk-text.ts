/** What minidump_stackwalk prints for people (Breakpad, and rust-minidump with --human): frames with registers, then modules with ranges. */
import { hex } from '../../base/hex.ts';
import { lastItem, present } from '../../base/list.ts';
import { type Frame, type FrameTrust, type Trace, type TraceImage, traceImage } from '../model/trace.ts';
import { moduleIds } from './debug-ids.ts';
import type { TraceFile, TraceFormat } from './format.ts';
import { linesOf, placedIn, Stacks } from './stacks.ts';

const THREAD = /^Thread (\d{1,6})\b(.{0,256})$/;
const FRAME = /^\s?(\d{1,6})\s{2}(\S.{0,4096})$/;
const COUNTER = /\b(?:rip|eip|pc) = 0x([0-9a-f]{1,16})\b/;
const FOUND = /^\s+Found by: (.{1,128})$/;
const MODULE = /^0x([0-9a-f]{1,16}) - 0x([0-9a-f]{1,16})\s{2}(\S.{0,1024}?)\s{2}/;
const SYMBOLS = /^\(WARNING: (?:No|Corrupt) symbols, .{0,1024}, ([0-9A-F]{33,40})\)/;

const FRAME_TRUSTS: readonly [RegExp, FrameTrust][] = [
  [/^given as instruction pointer/, 'context'],
  [/^call frame info/, 'cfi'],
  [/^previous frame's frame pointer/, 'fp'],
  [/scanning|^simulating a return/, 'scan'],
];

interface Read {
  stacks: Stacks;
  images: TraceImage[];
  system: string;
  signal: string | null;
  /** The frame whose registers and finding may stand in the next lines. */
  open: Frame | null;
  /** Calls that were inlined into the next frame. */
  inlined: string[];
}

const MOST_INLINED = 32;

/** The debug id of a module without symbols is printed in a warning; for all others none is printed. */
function moduleOf(line: string, system: string): TraceImage | undefined {
  const [, from, to, path] = MODULE.exec(`${line}  `) ?? [];
  if (from === undefined) return undefined;
  const [base, end] = [BigInt(`0x${from}`), BigInt(`0x${to}`)];
  return traceImage({
    ...moduleIds(system, SYMBOLS.exec(line.slice(Math.max(0, line.lastIndexOf('(WARNING: '))))?.[1] ?? ''),
    path: present(path),
    base: hex(base),
    size: end < base ? null : Number(end - base) + 1,
  });
}

function close(read: Read): void {
  const { open, inlined } = read;
  if (open && inlined.length > 0) open.claimed = [...inlined.splice(0), open.claimed].join(', inlined in ');
  read.open = null;
}

/** Calls that were inlined have no registers, and are no frames. */
function foundBy(read: Read, how: string): void {
  if (!read.open) return;
  if (how === 'inlining') {
    if (read.inlined.length < MOST_INLINED) read.inlined.push(read.open.claimed ?? '?');
    lastItem(read.stacks.threads).frames.pop();
    read.open = null;
    return;
  }
  read.open.trust = FRAME_TRUSTS.find(([text]) => text.test(how))?.[1] ?? 'prewalked';
  close(read);
}

function readLine(read: Read, line: string): void {
  const { stacks } = read;
  const [, thread, about] = THREAD.exec(line) ?? [];
  const [, number, what] = FRAME.exec(line) ?? [];
  const [, counter] = COUNTER.exec(line) ?? [];
  const [, how] = FOUND.exec(line) ?? [];
  if (thread !== undefined) {
    close(read);
    read.inlined = [];
    stacks.begin(present(about).includes('(crashed)'), Number(thread));
  } else if (number !== undefined && stacks.threads.length > 0) {
    close(read);
    const [, bare] = /^0x([0-9a-f]{1,16})$/.exec(present(what)) ?? [];
    const ip = bare === undefined ? null : hex(BigInt(`0x${bare}`));
    read.open = stacks.add({ ip, name: bare === undefined ? what! : null });
  } else if (counter !== undefined && read.open) read.open.ip ??= hex(BigInt(`0x${counter}`));
  else if (how !== undefined) foundBy(read, how);
  else if (line.startsWith('Operating system: ')) read.system = line.slice(18).trim();
  else if (line.startsWith('Crash reason:')) read.signal = line.slice(13).trim().slice(0, 256) || null;
  else {
    const image = moduleOf(line, read.system);
    if (image) read.images.push(image);
  }
}

function fromStackwalkText(file: TraceFile): Trace {
  const read: Read = {
    stacks: new Stacks(file),
    images: [],
    system: '',
    signal: null,
    open: null,
    inlined: [],
  };
  for (const line of linesOf(file.text)) readLine(read, line);
  close(read);
  const { images, stacks, signal } = read;
  // Inlined calls before it are no frames: the first frame that remains is the innermost.
  for (const { frames } of stacks.threads)
    for (const [n, frame] of frames.entries()) frame.activation = n === 0;
  return { format: 'stackwalk-text', signal, images, threads: placedIn(images, stacks.threads) };
}

export const stackwalkText: TraceFormat = {
  name: 'stackwalk-text',
  title: 'what minidump_stackwalk prints',
  recognise: ({ head }) => /^Operating system: /m.test(head) && /^CPU: /m.test(head),
  parse: fromStackwalkText,
};
