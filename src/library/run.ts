/** Replays manifests: files, folders, patterns, or manifests made in code. */
import { systemClock } from '../base/clock.ts';
import { Fault } from '../base/fault.ts';
import type { Determinism } from '../manifest/definition.ts';
import type { LoadedManifest } from '../manifest/load.ts';
import { unsuppliedInputs } from '../manifest/unsupplied.ts';
import type { Policy } from '../policy/policy.ts';
import { runManifests } from '../reenact.ts';
import { type JobOptions, planJob } from '../replay/job.ts';
import type { RunOptions } from '../replay/options.ts';
import { faultRecord } from '../replay/outcome.ts';
import { determinismOf } from '../replay/prepare.ts';
import type { DeterminismChoice } from '../sandbox/mechanisms.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import type { ReenactEvent } from './events.ts';
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

/** Options that contradict each other, or a manifest, before anything is loaded or started. */
function checkOptions(manifests: LoadedManifest[], o: ReplayOptions, choice: DeterminismChoice): void {
  if (o.vary && (choice.seeds || o.replays !== undefined))
    throw new Fault('usage', 'vary has replays of its own: drop replays and seeds');
  const free = manifests.find(({ manifest }) => determinismOf({ determinism: choice }, manifest) !== 'full');
  for (const name of ['core', 'explain'] as const)
    if (o[name] && free)
      throw new Fault('usage', `${name} wants determinism full, and ${free.path} does not ask for it`);
  if (o.explain && choice.seeds)
    throw new Fault('usage', 'explain wants replays of one seed: those of several seeds part by intention');
}

/** A forgotten input makes every replay end alike, and not as the incident did. */
function warnOfUnsupplied(session: Session, manifests: LoadedManifest[]): void {
  for (const { path, argv, manifest } of manifests) {
    const texts = [...argv, ...Object.values(manifest.env ?? {})];
    const paths = (manifest.inputs ?? []).map((input) => input.path);
    for (const missing of unsuppliedInputs(texts, paths))
      session.tell({
        type: 'notice',
        text: `warning: ${path}: the command names ${missing}, and no input supplies it`,
      });
  }
}

/** The manifests of a run, and what is asked of it; a Fault for options that contradict each other. */
export async function askedOf(
  session: Session,
  inputs: ManifestSource | readonly ManifestSource[],
  { policy, determinism, seeds, without, ...options }: ReplayOptions,
): Promise<RunOptions & { policy: Policy }> {
  const choice = choiceOf({ determinism, seeds, without });
  const manifests = await loadAll(session, inputs);
  checkOptions(manifests, options, choice);
  warnOfUnsupplied(session, manifests);
  return {
    ...options,
    determinism: choice,
    manifests,
    policy: await session.judge(policy),
    out: session.store,
  };
}

/** What is to come, before anything is started. */
export function startOf(manifests: LoadedManifest[], o: JobOptions): ReenactEvent {
  const jobs = manifests.map((loaded) => planJob(loaded, o, systemClock));
  const interrupted = new Fault('interrupted', 'interrupted');
  return {
    type: 'start',
    replays: jobs.reduce((sum, { requested }) => sum + requested, 0),
    unfinished: jobs.map((job) => faultRecord(job, interrupted, systemClock)),
  };
}

/** Replays them in the session's store; the records come in the manifests' order. */
export async function run(
  session: Session,
  inputs: ManifestSource | readonly ManifestSource[],
  options: ReplayOptions = {},
): Promise<ReplayRecord[]> {
  const asked = await askedOf(session, inputs, options);
  session.tell(startOf(asked.manifests, asked));
  return await runManifests(await session.engine(), { ...asked, ...session.waiting, onEvent: session.tell });
}
