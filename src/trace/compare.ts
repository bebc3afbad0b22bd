/** Compares the stack of a crash with that of its replay, frame by frame: the same place in the same build, or the same function in another. */
import type { JoinedFrame } from './gap.ts';

export const REPRODUCTIONS = ['match', 'match_fn', 'diverged', 'no_crash', 'unreplayable'] as const;
export type ReproductionVerdict = (typeof REPRODUCTIONS)[number];

/** One frame of both stacks; null where one of them has none. */
export interface FramePair {
  original: JoinedFrame | null;
  replayed: JoinedFrame | null;
  same: 'place' | 'function' | null;
}

export interface Comparison {
  verdict: 'match' | 'match_fn' | 'diverged';
  /** The first pair that differs, counted from the innermost; null where none does. */
  at: number | null;
  pairs: FramePair[];
}

/** The kernel's own page is no part of any build, and moves. */
function isVdso({ image_path, image_id }: JoinedFrame, claimed: string | null): boolean {
  return /\bvdso\b/.test(image_path ?? '') || (image_id === null && /^\[?vdso\b/.test(claimed ?? ''));
}

/** Frames of the thread that crashed, without the kernel's; `claimed` by frame, as the trace says it. */
export function comparable(frames: JoinedFrame[], claimed: (string | null)[]): JoinedFrame[] {
  return frames.filter((frame) => frame.thread === 0 && !isVdso(frame, claimed[frame.index] ?? null));
}

/** The function whose code it is, inlined calls aside. */
function functionOf({ places }: JoinedFrame): string | null {
  return places.at(-1)?.function ?? null;
}

function sameness(a: JoinedFrame | undefined, b: JoinedFrame | undefined): FramePair['same'] {
  if (!a || !b) return null;
  // Two frames in no module at all, such as code made at run time, have nothing that could differ.
  if (a.image_id === b.image_id && a.rel_addr === b.rel_addr) return 'place';
  const name = functionOf(a);
  return name !== null && name === functionOf(b) ? 'function' : null;
}

/** Both lists innermost first. A replay's stack that goes on behind the original's end is no difference: that one was cut short. */
export function compareStacks(original: JoinedFrame[], replayed: JoinedFrame[]): Comparison {
  const pairs = Array.from({ length: Math.max(original.length, replayed.length) }, (_, n): FramePair => {
    const [a, b] = [original[n], replayed[n]];
    return { original: a ?? null, replayed: b ?? null, same: sameness(a, b) };
  });
  const compared = pairs.slice(0, original.length);
  const at = compared.findIndex(({ same }) => same === null);
  if (at >= 0 || compared.length === 0) return { verdict: 'diverged', at: Math.max(0, at), pairs };
  const exact = compared.every(({ same }) => same === 'place');
  return { verdict: exact ? 'match' : 'match_fn', at: null, pairs };
}
