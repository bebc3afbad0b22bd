/** Replays manifests: files, folders, patterns, or manifests made in code. */
import { Fault } from '../base/fault.ts';
import type { Determinism } from '../manifest/definition.ts';
import { runManifests } from '../reenact.ts';
import { type RunOptions, replaysOf } from '../replay/options.ts';
import type { DeterminismChoice } from '../sandbox/mechanisms.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import { loadAll, type ManifestSource } from './manifests.ts';
import type { PolicyInput, Session } from './session.ts';
import { withoutNamed } from './without.ts';

/** How manifests are replayed; every field may be left out. */
export interface ReplayOptions
  extends Omit<
    RunOptions,
    'manifests' | 'policy' | 'determinism' | 'out' | 'signal' | 'clock' | 'onEvent' | 'tell' | 'limits'
  > {
  policy?: PolicyInput;
  /** Whether the seed decides all that a program sees. Default: as each manifest says, else `full`. */
  determinism?: Determinism | undefined;
  /** One replay for each of these instead of the manifest's seed. */
  seeds?: number[] | undefined;
  /** Mechanisms to do without, as on a host that lacks them (docs/determinism.md). */
  without?: readonly string[] | undefined;
}

/** What is decided by the seed, in the words of a run. */
export function choiceOf({
  determinism: mode,
  seeds,
  without,
}: Pick<ReplayOptions, 'determinism' | 'seeds' | 'without'>): DeterminismChoice {
  if (seeds && mode === 'off') throw new Fault('usage', 'seeds need full determinism');
  return {
    ...(seeds ? { mode: 'full', seeds } : mode ? { mode } : {}),
    without: withoutNamed(without),
  };
}

/** Replays them in the session's store; the records come in the manifests' order. */
export async function run(
  session: Session,
  inputs: ManifestSource | readonly ManifestSource[],
  { policy, determinism, seeds, without, ...options }: ReplayOptions = {},
): Promise<ReplayRecord[]> {
  const choice = choiceOf({ determinism, seeds, without });
  const manifests = await loadAll(session, inputs);
  const asked = { ...options, determinism: choice };
  const { count = 1 } = options.shard ?? {};
  const each = manifests.map((loaded) => Math.ceil(replaysOf(loaded, asked) / count));
  session.tell({ type: 'start', replays: each.reduce((sum, replays) => sum + replays, 0) });
  return await runManifests(await session.engine(), {
    ...asked,
    manifests,
    policy: await session.judge(policy),
    out: session.store,
    ...session.waiting,
    onEvent: session.tell,
  });
}
