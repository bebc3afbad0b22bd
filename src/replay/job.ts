/** One manifest's part in a run: which of its replays, under which policy, and since when. */
import type { Clock } from '../base/clock.ts';
import type { LoadedManifest } from '../manifest/load.ts';
import type { Policy } from '../policy/policy.ts';
import type { KeptEvidence } from './evidence.ts';
import { type RunOptions, replaysOf } from './options.ts';

export interface Job {
  loaded: LoadedManifest;
  requested: number;
  indices: number[];
  startedAt: number;
  began: number;
  policy: Policy;
  shard: RunOptions['shard'];
  /** null until evidence was checked, and where the policy checks none. */
  evidence: KeptEvidence | null;
}

/** What a job depends on of what was asked for. */
export type JobOptions = Pick<RunOptions, 'shard' | 'vary' | 'determinism' | 'replays'> & { policy: Policy };

/** Shards take turns, so that each gets its part of every manifest. */
export function planJob(loaded: LoadedManifest, o: JobOptions, clock: Clock): Job {
  const { policy, shard } = o;
  const all = Array.from({ length: replaysOf(loaded, o) }, (_, i) => i + 1);
  const indices = shard ? all.filter((index) => (index - 1) % shard.count === shard.index - 1) : all;
  return {
    loaded,
    requested: indices.length,
    indices,
    startedAt: clock.now(),
    began: clock.monotonicMs(),
    policy,
    shard,
    evidence: null,
  };
}
