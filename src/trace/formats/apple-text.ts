/** An Apple crash report as text (.crash: iOS 14, macOS 11 and older, and other reporters that write this form): stacks of addresses, then the images they lie in. */
import { hex } from '../../base/hex.ts';
import { itemAt, lastItem } from '../../base/list.ts';
import { type Trace, type TraceImage, traceImage } from '../model/trace.ts';
import { cutAt } from './cut.ts';
import type { TraceFile, TraceFormat } from './format.ts';
import { linesOf, placedIn, Stacks } from './stacks.ts';

const THREAD = /^Thread (\d{1,6})( Crashed)?:/;
/** Where an uncaught exception was thrown. */
const THROWN = /^(?:Last Exception Backtrace|Application Specific Backtrace \d+):/;
const NUMBER = /^(\d{1,6})\s/;
const ADDRESS = /\s0x([0-9a-f]{1,16})(?:\s(.*))?$/;
const IMAGE = /^\s*0x([0-9a-f]{1,16})\s+-\s+0x([0-9a-f]{1,16})\s/;
const ARCHS = /^(?:arm64(?:e|_32)?|armv[67][a-z]?|x86_64h?|i386|ppc(?:64)?)$/;

/** `BEGIN - END +NAME ARCH (VERSION) <UUID> PATH`, of which architecture, version and path can be left out. */
function imageOf(line: string): TraceImage | undefined {
  const [head, from, to] = IMAGE.exec(line) ?? [];
  if (head === undefined) return undefined;
  const open = line.indexOf('<', head.length);
  const close = line.indexOf('>', open);
  if (open < 0 || close < 0) return undefined;
  const uuid = line
    .slice(open + 1, close)
    .replaceAll('-', '')
    .toLowerCase();
  const known = /^[0-9a-f]{32}$/.test(uuid) && !/^0+$/.test(uuid);
  const words = line.slice(head.length, open).trim().replace(/^\+/, '').split(' ');
  const path = line.slice(close + 1).trim();
  const [base, end] = [BigInt(`0x${from}`), BigInt(`0x${to}`)];
  return traceImage({
    id: known ? `macho:${uuid}` : null,
    debug_id: known ? `${uuid.toUpperCase()}0` : null,
    path: path || itemAt(words, 0),
    arch: words.findLast((word) => ARCHS.test(word)) ?? null,
    base: hex(base),
    size: end < base ? null : Number(end - base) + 1,
  });
}

/** `NUMBER IMAGE ADDRESS NAME + OFFSET`; where no symbol was known, the image's beginning stands for the name. */
function addFrame(stacks: Stacks, line: string, thrown: boolean): void {
  const [, number] = NUMBER.exec(line) ?? [];
  const [, address, rest = ''] = ADDRESS.exec(line) ?? [];
  if (number === undefined || address === undefined) return;
  const activation = !thrown && lastItem(stacks.threads).frames.length === 0;
  const name = /^0x[0-9a-f]+ \+ \d+/.test(rest) ? null : rest;
  stacks.add({ ip: hex(BigInt(`0x${address}`)), activation, name });
}

/** As many as its reports have of one stack. */
const MOST_FRAMES = 512;

interface Report {
  stacks: Stacks;
  images: TraceImage[];
  crashed: number | null;
  signal: string | null;
  thrown: boolean;
}

function readLine(report: Report, line: string): void {
  const { stacks, images } = report;
  const [, number, marked] = THREAD.exec(line) ?? [];
  if (number !== undefined) {
    stacks.begin(marked !== undefined, Number(number));
    report.thrown = false;
  } else if (THROWN.test(line)) {
    stacks.begin(true, report.crashed ?? 0);
    report.thrown = true;
  } else if (stacks.threads.length > 0 && line.startsWith('(0x')) {
    // As the device itself writes it, before it is symbolicated.
    for (const address of line.slice(1, line.indexOf(')')).split(' '))
      if (/^0x[0-9a-f]{1,16}$/.test(address))
        stacks.add({
          ip: hex(BigInt(address)),
          activation: !report.thrown && lastItem(stacks.threads).frames.length === 0,
        });
  } else if (stacks.threads.length > 0 && NUMBER.test(line)) addFrame(stacks, line, report.thrown);
  const image = imageOf(line);
  if (image) images.push(image);
  const [, type, signal] = /^Exception Type:\s+(\w{1,64})(?: \((\w{1,64})\))?/.exec(line) ?? [];
  if (type !== undefined) report.signal ??= signal ?? type;
  const [, thread] = /^(?:Triggered by Thread|Crashed Thread):\s+(\d{1,6})/.exec(line) ?? [];
  if (thread !== undefined) report.crashed ??= Number(thread);
}

function fromAppleText(file: TraceFile): Trace {
  const report: Report = { stacks: new Stacks(file), images: [], crashed: null, signal: null, thrown: false };
  for (const line of linesOf(file.text)) readLine(report, line);
  const { images, signal } = report;
  cutAt(report.stacks.threads, 'ReportCrash', MOST_FRAMES);
  // The stack of the exception stands first among those that crashed.
  return { format: 'apple-text', signal, images, threads: placedIn(images, report.stacks.threads) };
}

export const appleText: TraceFormat = {
  name: 'apple-text',
  title: 'an Apple .crash report',
  recognise: ({ head }) =>
    /^(?:Incident Identifier|Process):\s/m.test(head) && /^Exception Type:\s/m.test(head),
  parse: fromAppleText,
};
