/** The result of replaying a trace: the verdict, the reason, and both stacks side by side. */
import type { Gates } from '../policy/shape.ts';
import { LEAST_KNOWN_FRAMES } from '../verdict/custody.ts';
import type { GateResult, ReplayRecord } from '../verdict/record.ts';
import { type Comparison, type FramePair, REPRODUCTIONS, type ReproductionVerdict } from './compare.ts';

export interface Reproduction {
  verdict: ReproductionVerdict;
  /** Of `diverged`: the first frame that differs, counted from the innermost. */
  at: number | null;
  /** How many frames were found the same, of those that lie in a build. */
  known: number;
  reason: string;
  pairs: FramePair[];
}

/** Why a record's replays say nothing about the trace; null where they do. */
export function reproductionObstacle({
  verdict,
  reason,
  message,
  environment,
  replays,
}: ReplayRecord): string | null {
  if (verdict === 'rejected') return `the evidence was rejected (${reason}): ${message}`;
  if (verdict === 'inconclusive')
    return `the replays are inconclusive (${reason})${message ? `: ${message}` : ''}`;
  if (environment?.determinism !== 'full')
    return 'determinism was off, and crash sites are taken only where it is full';
  return replays.length === 0 ? 'nothing was replayed' : null;
}

function framesText(count: number): string {
  return count === 1 ? 'one frame is' : `${count} frames are`;
}

function divergenceText({ at, pairs }: Comparison): string {
  const { original, replayed } = pairs[at ?? 0] ?? { original: null, replayed: null };
  if (!replayed) return `the replay’s stack ends before frame ${at}`;
  return original
    ? `frame ${at} is another`
    : `the replay’s stack goes on at frame ${at}, and the trace’s ended`;
}

/** Whether a verdict says the same crash: one that is known in part counts with enough frames. */
export function reproductionGate(
  { verdict, known }: Pick<Reproduction, 'verdict' | 'known'>,
  gates: Partial<Gates>,
): GateResult {
  const least = gates.known_frames ?? LEAST_KNOWN_FRAMES;
  const isWhole = verdict === 'match' || verdict === 'match_fn';
  const isPart = verdict === 'match_as_far_as_known';
  return {
    name: 'reproduction',
    threshold: `whole, or ${least} frames`,
    value: isPart ? framesText(known).replace(/ (?:is|are)$/, '') : isWhole ? 'whole' : verdict,
    pass: isWhole || (isPart && known >= least),
  };
}

/** The worst of the comparisons with each different crash: if one replay takes another path, the trace is not reproduced. */
export function worstOf(comparisons: Comparison[]): Reproduction {
  const rank = ({ verdict, at, known }: Comparison): number =>
    REPRODUCTIONS.indexOf(verdict) * 1e6 - (at ?? known);
  const worst = comparisons.reduce((a, b) => (rank(b) > rank(a) ? b : a));
  const unsure = worst.pairs.filter(({ lost }) => lost.length > 0).length;
  const byName = unsure > 0 ? `; of ${unsure} the names do not say which of several that are called so` : '';
  const reasons = {
    match: 'every frame is the same place in the same build',
    match_fn: `every frame is in the same function, of another build${byName}`,
    match_as_far_as_known: `${framesText(worst.known)} the same${byName}; their caller is not known`,
    diverged: divergenceText(worst),
  };
  return { ...worst, reason: reasons[worst.verdict] };
}
