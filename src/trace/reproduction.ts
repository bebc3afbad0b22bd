/** What replaying a trace came to: the verdict, why, and both stacks side by side. */
import type { ReplayRecord } from '../verdict/record.ts';
import { type Comparison, type FramePair, REPRODUCTIONS, type ReproductionVerdict } from './compare.ts';

export interface Reproduction {
  verdict: ReproductionVerdict;
  /** Of `diverged`: the first frame that differs, counted from the innermost. */
  at: number | null;
  reason: string;
  pairs: FramePair[];
}

/** Why a record's replays say nothing about the trace; null where they do. */
export function obstacleOf({ verdict, reason, message, environment, replays }: ReplayRecord): string | null {
  if (verdict === 'rejected') return `the evidence was rejected (${reason}): ${message}`;
  if (verdict === 'inconclusive')
    return `the replays are inconclusive (${reason})${message ? `: ${message}` : ''}`;
  if (environment?.determinism !== 'full')
    return 'determinism was off, and crash sites are taken only where it is full';
  return replays.length === 0 ? 'nothing was replayed' : null;
}

/** The worst of the comparisons with each different crash: one replay that goes another way is no reproduction. */
export function worstOf(comparisons: Comparison[]): Reproduction {
  const rank = ({ verdict, at }: Comparison): number => REPRODUCTIONS.indexOf(verdict) * 1e6 - (at ?? 0);
  const worst = comparisons.reduce((a, b) => (rank(b) > rank(a) ? b : a));
  const unsure = worst.pairs.filter(({ lost }) => lost.length > 0).length;
  const byName = unsure > 0 ? `; of ${unsure} the names do not say which of several that are called so` : '';
  const reasons = {
    match: 'every frame is the same place in the same build',
    match_fn: `every frame is in the same function, of another build${byName}`,
    diverged: `frame ${worst.at} is another`,
  };
  return { ...worst, reason: reasons[worst.verdict] };
}
