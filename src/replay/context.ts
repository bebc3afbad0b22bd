/** A run: what was asked for, with every default filled in, and what is opened once for all its manifests. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { cacheFolder } from '../base/cache-folder.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import { sweepAsides } from '../base/temporary.ts';
import { loadTrust } from '../evidence/trust/trust.ts';
import { loadPolicy, type Policy, policyFiles } from '../policy/policy.ts';
import type { Engine, EngineFacts } from '../sandbox/engine.ts';
import { assertRunsOn, type Harness, loadHarness } from '../sandbox/harness.ts';
import type { DeterminismChoice } from '../sandbox/mechanisms.ts';
import { Registries } from '../sandbox/registry.ts';
import { RunScope, sweep } from '../sandbox/scope.ts';
import { BlobStore } from '../store/blobs.ts';
import { type EvidenceVerifier, openVerifier } from './evidence.ts';
import type { RunOptions } from './options.ts';
import type { PreparedImage } from './prepared.ts';

/** Made once, by openRun; nothing of it changes while the run lasts but what is created on the engine. */
export interface RunContext
  extends Readonly<Omit<RunOptions, 'manifests' | 'imageCache' | 'tell' | 'limits'>> {
  readonly policy: Policy;
  readonly out: string;
  readonly repositories: string[];
  readonly harness: Harness;
  readonly determinism: DeterminismChoice;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly engine: Engine;
  readonly facts: EngineFacts;
  /** States, outputs and inputs. */
  readonly store: BlobStore;
  /** Manifests and configurations of images, kept between runs. */
  readonly imageStore: BlobStore;
  readonly registries: Registries;
  /** What is created on the engine; closing it removes all of it. */
  readonly scope: RunScope;
  /** null where the policy names no authority. */
  readonly verifier: EvidenceVerifier | null;
  /** The one queue of all replays and preparations: starts `work` when fewer than `jobs` are under way. */
  readonly queue: <T>(work: () => Promise<T>) => Promise<T>;
  /** What was prepared for each image, by configuration digest. */
  readonly preparedImages: Map<string, Promise<PreparedImage>>;
}

/** Fills in the defaults, removes what dead runs left, and opens everything. Throws a Fault when nothing could start. */
export async function openRun(
  engine: Engine,
  {
    imageCache = join(cacheFolder(process.env), 'images'),
    tell,
    limits,
    ...given
  }: Omit<RunOptions, 'manifests'>,
): Promise<RunContext> {
  const { out = '.reenact', clock = systemClock, harness = loadHarness() } = given;
  const policy = given.policy ?? (await loadPolicy('default'));
  const facts = await engine.facts();
  assertRunsOn(harness, facts.architecture);
  const swept = await sweep(engine);
  if (swept > 0) given.onEvent?.({ type: 'swept', count: swept });
  const store = new BlobStore(out);
  for (const folder of ['blobs', join('blobs', 'sha256'), 'custody']) sweepAsides(join(out, folder));
  for (const bytes of [harness.init, harness.seccompText, policy.canonical]) await store.put(bytes);
  for (const { bytes } of policyFiles(policy)) await store.put(bytes);
  return {
    ...given,
    policy,
    out,
    repositories: given.repositories ?? [],
    harness,
    determinism: given.determinism ?? { without: [] },
    signal: given.signal ?? new AbortController().signal,
    clock,
    engine,
    facts,
    store,
    imageStore: new BlobStore(imageCache),
    registries: new Registries({ tell, limits }),
    scope: new RunScope(engine),
    verifier:
      policy.authorities.length > 0
        ? openVerifier(loadTrust(policy), given.evidenceStores ?? [], out, store, clock)
        : null,
    queue: pLimit(given.jobs ?? 2 * availableParallelism()),
    preparedImages: new Map(),
  };
}
