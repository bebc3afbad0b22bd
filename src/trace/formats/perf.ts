/** What perf script prints (Linux, tools/perf): samples with a stack each, and where files were mapped if that was asked for. */

import { hex } from '../../base/hex.ts';
import { itemAt, lastItem, present } from '../../base/list.ts';
import { elfIds } from '../../objects/common/identity.ts';
import type { Trace } from '../model/trace.ts';
import type { TraceFile, TraceFormat } from './format.ts';
import { linesOf, Stacks } from './stacks.ts';

/** `COMMAND PID/TID [CPU] TIME: COUNT EVENT:`; what stands before the time depends on what was asked for. */
const SAMPLE = /^\S.{0,128}?\s(?:\d{1,10}\/)?(\d{1,10})\s{1,32}(?:\[\d{1,6}\]\s{1,32})?\d{1,12}\.\d{6,9}:\s/;
const MAP =
  /PERF_RECORD_MMAP2? (-?\d{1,10})\/-?\d{1,10}: \[0x([0-9a-f]{1,16})\(0x([0-9a-f]{1,16})\) @ (0x[0-9a-f]{1,16}|0)(?: <([0-9a-f]{2,128})>| [0-9a-f]{1,8}:[0-9a-f]{1,8} \d{1,20} \d{1,20})?\]: \S{1,8} (.{1,4096})$/;
/** `ADDRESS NAME (FILE)`; functions and files may have brackets of their own. */
function frameOf(line: string): [string, string, string] | undefined {
  const [head = '', address] = /^\s+([0-9a-f]{1,16}) /.exec(line) ?? [];
  if (address === undefined || !line.endsWith(')')) return undefined;
  const open = Math.max(...[' (/', ' ([', ' (inlined)'].map((text) => line.lastIndexOf(text)));
  if (open < head.length) return undefined;
  return [address, line.slice(head.length, open), line.slice(open + 2, -1)];
}

/** Where no kernel puts a file's offset, and addresses of memory begin. */
const MEMORY_FROM = 0x1_0000_0000n;
const KERNEL_FROM = 1n << 63n;

interface Mapped {
  from: bigint;
  size: bigint;
  offset: bigint;
  buildId: string | undefined;
}

/** By path: a build-id where records of maps have one (perf record --buildid-mmap). */
type Maps = Map<string, Mapped[]>;

const MOST_INLINED = 32;
/** The most maps of one file that are told apart. */
const MOST_MAPS = 256;

function addMap(maps: Maps, line: string): boolean {
  const [, , from, size, offset, buildId, path] = MAP.exec(line) ?? [];
  if (from === undefined) return line.includes('PERF_RECORD_');
  const known = maps.get(present(path)) ?? [];
  maps.set(present(path), known);
  const found = {
    from: BigInt(`0x${from}`),
    size: BigInt(`0x${size}`),
    offset: BigInt(present(offset)),
    buildId,
  };
  if (known.length < MOST_MAPS) known.push(found);
  return true;
}

/** Since Linux 5.2 the number for a program's file is the place in it; before, and where it was not mapped, the address. */
function placeOf(
  address: bigint,
  maps: Mapped[],
): { offset: bigint; buildId: string | undefined } | undefined {
  const inMemory = maps.find(({ from, size }) => address >= from && address - from < size);
  if (inMemory) return { offset: address - inMemory.from + inMemory.offset, buildId: inMemory.buildId };
  if (address >= MEMORY_FROM) return undefined;
  const ids = new Set(maps.map(({ buildId }) => buildId));
  return { offset: address, buildId: ids.size === 1 ? itemAt(maps, 0).buildId : undefined };
}

function addFrame(stacks: Stacks, maps: Maps, [digits, name, file]: [string, string, string]): void {
  const address = BigInt(`0x${digits}`);
  // This marks what lies behind the last frame that could be followed.
  if (address === 0n && file === '[unknown]') return;
  const activation = lastItem(stacks.threads).frames.length === 0;
  const named = name === '[unknown]' ? null : name;
  const found =
    /^\/[^/]/.test(file) && address < KERNEL_FROM ? placeOf(address, maps.get(file) ?? []) : undefined;
  stacks.add(
    found
      ? {
          ...{ image: stacks.image({ path: file, ...elfIds(found.buildId) }), rel_addr: hex(found.offset) },
          ...{ activation, name: named },
        }
      : { ip: hex(address), activation, name: named, source: file === '[unknown]' ? null : `(${file})` },
  );
}

function fromPerf(file: TraceFile): Trace {
  const stacks = new Stacks(file);
  const maps: Maps = new Map();
  let inlined: string[] = [];
  for (const line of linesOf(file.text)) {
    if (addMap(maps, line)) continue;
    const [, thread] = SAMPLE.exec(line) ?? [];
    const frame = frameOf(line);
    if (thread !== undefined) {
      stacks.begin(false, Number(thread));
      inlined = [];
    } else if (frame && stacks.threads.length > 0) {
      const [address, name, path] = frame;
      // A call that was inlined stands before the function whose code it is.
      if (path !== 'inlined')
        addFrame(stacks, maps, [address, [...inlined.splice(0), name].join(', inlined in '), path]);
      else if (inlined.length < MOST_INLINED) inlined.push(name);
    }
  }
  // Events without a stack are of no use here.
  const threads = stacks.threads.filter(({ frames }) => frames.length > 0);
  return { ...stacks.trace('perf', null), threads };
}

export const perf: TraceFormat = {
  name: 'perf',
  title: 'what perf script prints',
  recognise: ({ head }) => {
    let begun = false;
    if (!/\d\.\d{6,9}: /.test(head)) return false;
    for (const line of linesOf(head)) {
      if (begun && frameOf(line)) return true;
      begun = SAMPLE.test(line) && line.endsWith(':');
    }
    return false;
  },
  parse: fromPerf,
};
