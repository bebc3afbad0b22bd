/** Notes on stacks of which a form left a part out: a cut walk is never taken for a whole one. */
import type { Thread, WalkEnd } from '../model/trace.ts';

/** The writer of the trace left frames out; `missing`: how many, where it says so. */
export function cutBy(by: string, detail: string, missing: number | null = null): WalkEnd {
  return { outermost: false, by, reason: 'frames_omitted', detail, missing: missing === 0 ? null : missing };
}

/** Marks stacks that are as long as a writer prints at most, apart from frames of its own: it does not say whether there were more. */
export function cutAt(threads: Thread[], by: string, most: number): void {
  for (const thread of threads)
    if (thread.frames.length >= most)
      thread.ended ??= cutBy(by, `it prints no more than ${most} frames, or few more`);
}
