/** A microdump (Breakpad, microdump_writer.cc): what a minidump says about the thread that crashed, as lines of hexadecimal in a system's log. */

import { hex } from '../../base/hex.ts';
import { present } from '../../base/list.ts';
import { frameAt, imageFinder, type Trace, type TraceImage, traceImage } from '../model/trace.ts';
import { moduleIds } from './debug-ids.ts';
import type { TraceFile, TraceFormat } from './format.ts';
import { type Memory, PROCESSORS, type Processor, StackWalker } from './minidump-stack.ts';
import { surroundingsOf } from './walked.ts';

const BEGIN = '-----BEGIN BREAKPAD MICRODUMP-----';
const END = '-----END BREAKPAD MICRODUMP-----';
/** What a log writes before its lines, such as `W/google-breakpad( 123): `. */
const TAG = /google-breakpad(?:\(\s{0,8}\d{1,10}\))?: /;
/** Lines of stacks have 384 bytes, and those of a context a few thousand. */
const MOST_LINE = 65_536;
const MOST_LINES = 200_000;
const MOST_STACK_BYTES = 16 << 20;
const MODULE = /^M ([0-9A-F]{8,16}) ([0-9A-F]{8,16}) ([0-9A-F]{8,16}) ([0-9A-F]{33,40}) (.{1,1024})$/;
const STACK = /^S ([0-9A-F]{8,16}) ([0-9A-F]{2,})$/;
const NUMBERS: Readonly<Record<string, number>> = { x86: 0, x86_64: 9, arm64: 12 };

/** The lines of the first dump, without what the log wrote before them. */
function* dumpLines(text: string): Generator<string> {
  let at = text.indexOf(BEGIN);
  for (let n = 0; at >= 0 && n < MOST_LINES; n++) {
    const begin = text.indexOf('\n', at) + 1;
    if (begin === 0 || begin >= text.length) return;
    const found = text.indexOf('\n', begin);
    const end = found < 0 ? text.length : found;
    const line = text.slice(begin, Math.min(end, begin + MOST_LINE)).trimEnd();
    if (line.includes(END)) return;
    const tag = TAG.exec(line.slice(0, 256));
    yield tag ? line.slice(tag.index + tag[0].length) : line;
    at = begin;
  }
}

/** Pieces of the stack, one behind the other where the log lost no line. */
class Stack {
  private readonly runs: { from: bigint; pieces: Buffer[]; size: number }[] = [];
  private size = 0;

  add(from: bigint, bytes: Buffer): void {
    this.size += bytes.length;
    if (this.size > MOST_STACK_BYTES) return;
    const last = this.runs.at(-1);
    if (last && last.from + BigInt(last.size) === from) {
      last.pieces.push(bytes);
      last.size += bytes.length;
    } else this.runs.push({ from, pieces: [bytes], size: bytes.length });
  }

  memory(): (address: bigint) => Memory | undefined {
    const whole = this.runs.map(({ from, pieces }) => ({ from, bytes: Buffer.concat(pieces) }));
    return (address) =>
      whole.find(({ from, bytes }) => address >= from && address < from + BigInt(bytes.length));
  }
}

interface Dump {
  cpu: Processor | undefined;
  arch: string;
  system: string;
  signal: string | null;
  fault: bigint | undefined;
  context: Buffer;
  images: TraceImage[];
  stack: Stack;
}

function readLine(dump: Dump, line: string): void {
  const [, from, , size, id, name] = MODULE.exec(line) ?? [];
  if (from !== undefined)
    dump.images.push(
      traceImage({
        ...moduleIds(dump.system, present(id)),
        ...{ path: present(name), arch: dump.cpu?.arch ?? null, base: hex(BigInt(`0x${from}`)) },
        size: Number(BigInt(`0x${size}`)),
      }),
    );
  const [, address, bytes] = STACK.exec(line) ?? [];
  if (address !== undefined && present(bytes).length % 2 === 0)
    dump.stack.add(BigInt(`0x${address}`), Buffer.from(present(bytes), 'hex'));
  const [kind, first = '', second = '', third = ''] = line.split(' ', 4);
  if (kind === 'O') {
    dump.system = first === 'A' ? 'Android' : 'Linux';
    dump.arch = second;
    dump.cpu = Object.hasOwn(NUMBERS, second) ? PROCESSORS[present(NUMBERS[second])] : undefined;
  } else if (kind === 'C' && /^[0-9A-F]+$/.test(first)) dump.context = Buffer.from(first, 'hex');
  else if (kind === 'R') {
    dump.signal = second.slice(0, 64) || null;
    if (/^[0-9A-F]{1,16}$/.test(third)) dump.fault = BigInt(`0x${third}`);
  }
}

function fromMicrodump(file: TraceFile): Trace {
  const dump: Dump = {
    ...{ cpu: undefined, arch: 'unknown', system: 'Linux', signal: null, fault: undefined },
    ...{ context: Buffer.alloc(0), images: [], stack: new Stack() },
  };
  for (const line of dumpLines(file.text)) readLine(dump, line);
  const { cpu, images, context, signal, fault } = dump;
  if (!cpu)
    throw file.wrong(
      `a microdump of processor ${dump.arch.slice(0, 32)}: those of x86, x86_64 and arm64 are read`,
    );
  if (context.length < cpu.contextBytes)
    throw file.wrong(
      `a microdump whose registers have ${context.length} bytes, not ${cpu.contextBytes}: lines of the log are missing`,
    );
  const find = imageFinder(images);
  const walker = new StackWalker(cpu, surroundingsOf(images, find, { windows: false, unwind: file.unwind }));
  const { places, ended } = walker.walk(context, dump.stack.memory());
  const frames = places.map(({ address, trust, activation }) =>
    frameAt(address, images, find, { activation, trust, claimed: null }),
  );
  return {
    ...{ format: 'microdump', signal, images, threads: [{ id: 0, crashed: true, frames, ended }] },
    ...(fault === undefined ? {} : { fault_address: hex(fault) }),
  };
}

export const microdump: TraceFormat = {
  name: 'microdump',
  title: 'a microdump',
  // It can stand anywhere in a log; a file that begins as JSON is no microdump.
  recognise: ({ bytes, firstLine }) => !/^\s*\{/.test(firstLine) && bytes.includes(BEGIN),
  parse: fromMicrodump,
};
