/** What forms say of stacks that they left a part out of: a cut walk is never taken for a whole one. */
import type { Thread, WalkEnd } from '../model/trace.ts';

/** Frames were left out by who wrote the trace: how many, where that is said. */
export function cutBy(by: string, detail: string, missing: number | null = null): WalkEnd {
  return { outermost: false, by, reason: 'frames_omitted', detail, missing: missing === 0 ? null : missing };
}

/** Stacks that are as long as a writer prints at most, some of its own frames aside: whether there were more, it does not say. */
export function cutAt(threads: Thread[], by: string, most: number): void {
  for (const thread of threads)
    if (thread.frames.length >= most)
      thread.ended ??= cutBy(by, `it prints no more than ${most} frames, or few more`);
}
