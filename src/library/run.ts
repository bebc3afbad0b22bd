/** Replays manifests: files, folders, patterns, or manifests made in code. */
import type { Digest } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { showProblem } from '../base/json.ts';
import type { Determinism, Manifest } from '../manifest/definition.ts';
import { type LoadedManifest, loadManifests } from '../manifest/load.ts';
import { parseManifest } from '../manifest/parse.ts';
import { manifestSubject } from '../manifest/subject.ts';
import { runManifests } from '../reenact.ts';
import { type RunOptions, replaysOf } from '../replay/options.ts';
import type { DeterminismChoice } from '../sandbox/mechanisms.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import type { PolicyInput, Session } from './session.ts';
import { withoutNamed } from './without.ts';

/** A manifest's path, a folder of them or a pattern; a manifest made in code; or one that was loaded before. */
export type ManifestSource = string | Manifest | LoadedManifest;

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

/** A manifest made in code names its inputs from the current folder. */
function made(manifest: Manifest): LoadedManifest {
  const parsed = parseManifest(Buffer.from(JSON.stringify(manifest)));
  if (!parsed.ok)
    throw new Fault('manifest_invalid', parsed.problems.map((problem) => showProblem(problem)).join('\n'));
  return { ...parsed.value, path: '(code)', folder: process.cwd(), name: manifest.name ?? 'manifest' };
}

/** Every manifest that is meant, or one Fault with everything that is wrong in any of them. */
export async function loadAll(
  session: Session,
  inputs: ManifestSource | readonly ManifestSource[],
): Promise<LoadedManifest[]> {
  const list = (Array.isArray(inputs) ? inputs : [inputs]) as readonly ManifestSource[];
  if (list.length === 0) throw new Fault('usage', 'name at least one manifest');
  const tell = (text: string): void => session.tell({ type: 'notice', text });
  // Together, so that what is wrong in any of them is said at once.
  const paths = list.filter((input) => typeof input === 'string');
  if (paths.length === list.length) return await loadManifests(paths, tell);
  const all: LoadedManifest[] = [];
  for (const input of list)
    if (typeof input === 'string') all.push(...(await loadManifests([input], tell)));
    else all.push('manifest' in input ? input : made(input));
  return all;
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

/** The digests that evidence about these manifests must name. */
export async function subjects(
  session: Session,
  inputs: ManifestSource | readonly ManifestSource[],
): Promise<Digest[]> {
  return (await loadAll(session, inputs)).map(({ manifest }) => manifestSubject(manifest));
}
