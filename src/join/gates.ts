/** The gates over a trace's joined frames, in the terms in which the verdict judges them. */
import type { Policy } from '../policy/policy.ts';
import type { WalkEnd } from '../trace/model/trace.ts';
import { GATED_FRAMES, judgeJoins } from '../verdict/custody.ts';
import type { GateResult } from '../verdict/record.ts';
import { isVdso } from './compare.ts';
import type { JoinedFrame } from './gap.ts';

/** The frames that gates judge: of the thread that crashed, without those in the kernel's own page. */
export function judgedFrames<T extends Pick<JoinedFrame, 'thread' | 'image_path'>>(frames: T[]): T[] {
  return frames.filter((frame) => frame.thread === 0 && !isVdso(frame)).slice(0, GATED_FRAMES);
}

/** How many frames are missing behind the last one; 0 where the trace does not say that it was cut. */
export function missingFrames(ended: WalkEnd | null): number | null {
  return ended === null ? 0 : ended.missing;
}

/** The gates over a trace's first frames. */
export function gatesOf(
  frames: JoinedFrame[],
  ended: WalkEnd | null,
  policy: Pick<Policy, 'gates'> | undefined,
): GateResult[] {
  const judged = judgedFrames(frames).map(({ index, gap, bundle, artifact }) => ({
    index,
    gap,
    vouched: [bundle?.evidence, artifact?.evidence].flatMap((evidence) => evidence ?? []),
  }));
  return judgeJoins(judged, policy?.gates ?? {}, missingFrames(ended));
}
