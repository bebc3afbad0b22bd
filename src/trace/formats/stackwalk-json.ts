/** The JSON of minidump-stackwalk (rust-minidump, json-schema.md; Mozilla's older one): threads of frames by absolute address, modules with ids. */
import { hex } from '../../base/hex.ts';
import {
  addressOf,
  type Frame,
  type FrameTrust,
  frameAt,
  imageFinder,
  type Trace,
  type TraceImage,
  traceImage,
} from '../model/trace.ts';
import { moduleIds } from './debug-ids.ts';
import { list, type Members, members, text } from './foreign.ts';
import type { TraceFormat } from './format.ts';

const FRAME_TRUSTS: Readonly<Record<string, FrameTrust>> = {
  context: 'context',
  cfi: 'cfi',
  cfi_scan: 'scan',
  frame_pointer: 'fp',
  fp: 'fp',
  scan: 'scan',
  prewalked: 'prewalked',
};
/** A caller's address lies inside the call: how far it is moved back from the return address, on each processor. */
const MOVED: Readonly<Record<string, bigint>> = { x86: 1n, amd64: 1n, arm64: 4n, ppc: 8n, ppc64: 8n };

function moduleOf(value: unknown, system: string): TraceImage {
  const module = members(value);
  const [base, end] = [addressOf(module.base_addr), addressOf(module.end_addr)];
  return traceImage({
    ...moduleIds(system, text(module.debug_id) ?? '', text(module.code_id) ?? ''),
    path: text(module.filename) ?? text(module.debug_file) ?? '',
    base: base === undefined ? null : hex(base),
    size: base === undefined || end === undefined || end < base ? null : Number(end - base),
  });
}

/** Calls that were inlined are listed innermost first, beside the function whose code it is. */
function claimOf({ function: name, inlines }: Members): string | null {
  const names = [
    ...list(inlines)
      .slice(0, 32)
      .map((one) => text(members(one).function)),
    text(name),
  ];
  return names.filter((one) => one !== null).join(', inlined in ') || null;
}

function fromJson(report: Members): Trace {
  const { os, cpu_arch } = members(report.system_info);
  const images = list(report.modules).map((module) => moduleOf(module, text(os) ?? ''));
  const find = imageFinder(images);
  const moved = MOVED[text(cpu_arch) ?? ''] ?? 1n;
  const crash = members(report.crash_info);
  const signal = text(crash.type);
  const crashed = members(report.crashing_thread).threads_index ?? crash.crashing_thread;
  const frameOf = (value: unknown, n: number): Frame => {
    const frame = members(value);
    const address = addressOf(frame.offset);
    const trust = FRAME_TRUSTS[text(frame.trust) ?? ''] ?? 'unknown';
    const more = { activation: n === 0, trust, claimed: claimOf(frame) };
    if (address === undefined) return { image: null, rel_addr: null, ip: null, ...more };
    return frameAt(n === 0 ? address : address + moved, images, find, more);
  };
  const threads = list(report.threads)
    .map(members)
    .map((thread, n) => ({
      id: Number(addressOf(thread.thread_id) ?? BigInt(n)),
      // A dump that was only asked for has a thread that asked, and no error.
      crashed: signal !== null && crashed === n,
      frames: list(thread.frames).map(frameOf),
    }));
  return { format: 'stackwalk-json', signal, images, threads };
}

export const stackwalkJson: TraceFormat = {
  name: 'stackwalk-json',
  title: 'the JSON of minidump-stackwalk',
  recognise: (file) => file.has('crash_info') && file.has('modules') && file.has('threads'),
  parse: ({ members: report }) => fromJson(report),
};
