/** The gates over a trace's joined frames, in the terms in which the verdict judges them. */
import type { Policy } from '../policy/policy.ts';
import { GATED_FRAMES, judgeJoins } from '../verdict/custody.ts';
import type { GateResult } from '../verdict/record.ts';
import type { JoinedFrame } from './gap.ts';

/** The gates over a trace's first frames. */
export function gatesOf(frames: JoinedFrame[], policy: Pick<Policy, 'gates'> | undefined): GateResult[] {
  const judged = frames
    .filter(({ thread, index }) => thread === 0 && index < GATED_FRAMES)
    .map(({ index, gap, bundle, artifact }) => ({
      index,
      gap,
      vouched: [bundle?.evidence, artifact?.evidence].flatMap((evidence) => evidence ?? []),
    }));
  return judgeJoins(judged, policy?.gates ?? {});
}
