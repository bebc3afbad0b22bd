/** A stack trace in the one form that all others are read into: threads of frames, each in an image, as the trace's sender found them. */
import type { Digest } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import { hex } from '../../base/hex.ts';
import { countLeading, itemAt } from '../../base/list.ts';

export const TRACE_LIMITS = {
  fileBytes: 268_435_456,
  jsonDepth: 64,
  threads: 65_536,
  images: 65_536,
  /** In all threads together. */
  frames: 1_000_000,
} as const;

/** How a frame was found: by the registers, by tables, by the frame pointer, by searching the stack, or only by the sender's claim. */
export type FrameTrust = 'context' | 'cfi' | 'fp' | 'scan' | 'prewalked' | 'unknown';
export const FRAME_TRUSTS: readonly FrameTrust[] = ['context', 'cfi', 'fp', 'scan', 'prewalked', 'unknown'];

/** A program or library as it was loaded. */
export interface TraceImage {
  /** As `symbols id` writes it; null where the trace does not say. */
  id: string | null;
  debug_id: string | null;
  path: string;
  arch: string | null;
  /** Hexadecimal address of its beginning, and how many bytes it has. */
  base: string | null;
  size: number | null;
  /** The digest of the very file that was loaded, where it was taken. */
  sha256: Digest | null;
}

/** An image with the given facts; all others are unknown. */
export function traceImage(known: Partial<TraceImage>): TraceImage {
  return { id: null, debug_id: null, path: '', arch: null, base: null, size: null, sha256: null, ...known };
}

export interface Frame {
  /** Which of the images, or null: in none that the trace names. */
  image: number | null;
  /** Distance from the image's beginning, hexadecimal; a return address is given as it was, not moved into the call. */
  rel_addr: string | null;
  ip: string | null;
  /** True if the thread stood at this instruction; else it is a return address, and the call lies before it. */
  activation: boolean;
  trust: FrameTrust;
  /** What the sender says it is, which proves nothing. */
  claimed: string | null;
}

/** How the walk of a thread's stack ended: at its outermost frame, or cut, so that frames are missing. */
export interface WalkEnd {
  outermost: boolean;
  /** The walker, such as "reenact" or "PID 1". */
  by: string;
  /** Of a cut walk: why, as a code and in words. */
  reason: string | null;
  detail: string | null;
  /** How many frames are known to be missing; null: an unknown number. */
  missing: number | null;
}

export interface Thread {
  id: number;
  crashed: boolean;
  /** Innermost first. */
  frames: Frame[];
  /** Left out where the trace does not say whether these frames are all. */
  ended?: WalkEnd;
}

export interface Trace {
  format: string;
  /** Such as SIGSEGV or EXC_BAD_ACCESS. */
  signal: string | null;
  /** The signal's si_code (sigaction(2)), and the address of a fault, hexadecimal; left out where they are not known. */
  code?: number;
  fault_address?: string;
  images: TraceImage[];
  threads: Thread[];
}

/** What is wrong with a claim about a walk's end; null where it is consistent. */
export function endedProblem({ outermost, reason, missing }: WalkEnd): string | null {
  if (outermost)
    return reason !== null || missing !== 0 ? 'reached the outermost frame, and lacks some' : null;
  return reason === null || missing === 0 ? 'was cut, and does not say why, or lacks nothing' : null;
}

/** A Fault that names the file and what in it is wrong. */
export function wrongTrace(name: string, what: string): Fault {
  return new Fault('trace_invalid', `${name}: ${what}`);
}

/** Numbers as traces write them: hexadecimal text, decimal text, or a number; undefined for anything else. */
export function addressOf(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined;
  if (typeof value !== 'string' || !/^(?:0x[0-9a-fA-F]{1,16}|\d{1,20})$/.test(value)) return undefined;
  const found = BigInt(value);
  return found < 1n << 64n ? found : undefined;
}

/** Finds the image that an address lies in. */
export function imageFinder(images: TraceImage[]): (address: bigint) => number | null {
  const known = images
    .map(({ base, size }, index) => ({
      from: base === null ? -1n : BigInt(base),
      size: BigInt(size ?? 0),
      index,
    }))
    .filter(({ from, size }) => from >= 0n && size > 0n)
    .sort((a, b) => (a.from < b.from ? -1 : 1));
  return (address) => {
    const found = known[countLeading(known, ({ from }) => from <= address) - 1];
    return found && address - found.from < found.size ? found.index : null;
  };
}

/** The frame at an absolute address, in whichever image holds it. */
export function frameAt(
  address: bigint,
  images: TraceImage[],
  find: (address: bigint) => number | null,
  more: Pick<Frame, 'activation' | 'trust' | 'claimed'>,
): Frame {
  // The byte behind an image's end may be where its last call comes back to.
  const image = find(more.activation || address === 0n ? address : address - 1n);
  const base = image === null ? null : itemAt(images, image).base;
  return { image, rel_addr: base === null ? null : hex(address - BigInt(base)), ip: hex(address), ...more };
}

/** Refuses a trace that is too large, has no frames, or has frames in images that are not there. */
export function checked(trace: Trace, name: string): Trace {
  const { images, threads } = trace;
  const frames = threads.reduce((sum, thread) => sum + thread.frames.length, 0);
  if (images.length > TRACE_LIMITS.images) throw wrongTrace(name, `${images.length} images`);
  if (threads.length > TRACE_LIMITS.threads) throw wrongTrace(name, `${threads.length} threads`);
  if (frames > TRACE_LIMITS.frames)
    throw wrongTrace(name, `${frames} frames, at most ${TRACE_LIMITS.frames} are taken`);
  const large = threads.find(({ id }) => !Number.isSafeInteger(id) || id < 0);
  if (large) throw wrongTrace(name, `a thread has the number ${large.id}`);
  for (const [n, { size }] of images.entries())
    if (size !== null && !(Number.isSafeInteger(size) && size >= 0))
      throw wrongTrace(name, `image ${n} has ${size} bytes`);
  if (frames === 0) throw wrongTrace(name, 'there is no frame in it');
  for (const [t, thread] of threads.entries())
    for (const [n, { image }] of thread.frames.entries())
      if (image !== null && !images[image])
        throw wrongTrace(name, `frame ${n} of thread ${t} is in image ${image} of ${images.length}`);
  return trace;
}
