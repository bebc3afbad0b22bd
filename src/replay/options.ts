/** What a run is asked for. */
import type { Clock } from '../base/clock.ts';
import { DEFAULTS } from '../base/limits.ts';
import type { PatienceLimits } from '../base/patience.ts';
import type { LoadedManifest } from '../manifest/load.ts';
import type { Policy } from '../policy/policy.ts';
import type { Harness } from '../sandbox/harness.ts';
import type { ImageSources } from '../sandbox/image.ts';
import type { DeterminismChoice } from '../sandbox/mechanisms.ts';
import type { CaptureWay } from '../state/capture.ts';
import type { RunEvent } from './events.ts';
import { VARIED_REPLAYS } from './vary.ts';

/** What is to be replayed, and how; everything but the manifests may be left out. */
export interface RunOptions {
  manifests: LoadedManifest[];
  /** Default: the built-in policy `default`. */
  policy?: Policy | undefined;
  /** Folder for states, outputs and records. Default: `.reenact`. */
  out?: string | undefined;
  /** Folder for manifests and configurations of images, kept between runs. Default: in the user's cache. */
  imageCache?: string | undefined;
  /** Where images are looked for whose manifests name no repository. Default: nowhere but on the engine. */
  repositories?: string[] | undefined;
  /** The only ones that are asked, whatever a manifest names. */
  onlyRepositories?: string[] | undefined;
  /** The image itself, for an engine that can pull it from none of them. */
  imageArchive?: ImageSources['archive'] | undefined;
  /** Another harness than this release's. */
  harness?: Harness | undefined;
  /** Refuse to replay anything whose evidence the policy does not check. */
  requireEvidence?: boolean | undefined;
  /** Folders with evidence that manifests name, beside their own. */
  evidenceStores?: string[] | undefined;
  /** Replays at once. Default: two for each processor. */
  jobs?: number | undefined;
  /** Of each manifest. Default: as many as it says, else 3. */
  replays?: number | undefined;
  /** Starts no more replays of a manifest after one that diverged. */
  failFast?: boolean | undefined;
  /** Only each `count`th replay, from the `index`th on (both from 1), so that several machines share a run. */
  shard?: { index: number; count: number } | undefined;
  /** How states are read. Default: from the engine's storage where it is visible, else through its archives. */
  capture?: CaptureWay | undefined;
  /** Whether the seed decides all that a program sees, without what, and of which seeds. Default: as manifests say. */
  determinism?: DeterminismChoice | undefined;
  /** Changes what is around each replay on purpose (replay/vary.ts). */
  vary?: boolean | undefined;
  /** Keep a core of every crash; determinism must be full. */
  core?: boolean | undefined;
  /** Find out where two replays part that end differently; determinism must be full. */
  explain?: boolean | undefined;
  /** Ends the run in order: what was created is removed, then Fault `interrupted` is thrown. */
  signal?: AbortSignal | undefined;
  clock?: Clock | undefined;
  onEvent?: ((event: RunEvent) => void) | undefined;
  /** Hears, for people, of a registry that lets us wait; for the engine, connectDocker is told who hears. */
  tell?: ((text: string) => void) | undefined;
  /** Other limits on waiting for registries than PATIENCE. */
  limits?: PatienceLimits | undefined;
}

/** How many replays of a manifest there will be, before shards part them: what progress counts up to. */
export function replaysOf(
  { manifest }: LoadedManifest,
  o: Pick<RunOptions, 'vary' | 'determinism' | 'replays'>,
): number {
  if (o.vary) return VARIED_REPLAYS;
  return o.determinism?.seeds?.length ?? o.replays ?? manifest.replays ?? DEFAULTS.replays;
}
