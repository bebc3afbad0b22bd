/** The pipeline, to be read top to bottom: manifests in, one record for each out. */
import { join } from 'node:path';
import pLimit from 'p-limit';
import { canonicalJson } from './base/canonical-json.ts';
import { type Clock, systemClock } from './base/clock.ts';
import { Fault } from './base/fault.ts';
import { sweepAsides } from './base/temporary.ts';
import { loadTrust } from './evidence/trust/trust.ts';
import type { LoadedManifest } from './manifest/load.ts';
import { mechanismsWanted, policyFiles } from './policy/policy.ts';
import type { RunContext } from './replay/context.ts';
import { crashBudget } from './replay/crashes.ts';
import { findDesync } from './replay/desync.ts';
import { checkManifestEvidence, type EvidenceVerifier, openVerifier } from './replay/evidence.ts';
import { RunFolder } from './replay/folder.ts';
import { replayOnce } from './replay/one.ts';
import { type Asked, fillIn, type RunOptions, replaysOf } from './replay/options.ts';
import { conclude, faultRecord, type Job, refusedByEvidence } from './replay/outcome.ts';
import { determinismOf, imageDigests, type Prepared, prepare } from './replay/prepare.ts';
import type { Engine } from './sandbox/engine.ts';
import { assertRunsOn, loadHarness } from './sandbox/harness.ts';
import { lostWith } from './sandbox/mechanisms.ts';
import { processorOf } from './sandbox/processor.ts';
import { Registries } from './sandbox/registry.ts';
import { RunScope, sweep } from './sandbox/scope.ts';
import { BlobStore } from './store/blobs.ts';
import { checkCrashes } from './verdict/crash-check.ts';
import { completed, judgeReplays, type RawReplay } from './verdict/decide.ts';
import type { ReplayRecord } from './verdict/record.ts';
import type { Outcome } from './verdict/replay-result.ts';

type Limit = ReturnType<typeof pLimit>;

/** Shards take turns, so that each gets its part of every manifest. */
function planJob(
  loaded: LoadedManifest,
  o: Pick<Asked, 'policy' | 'shard' | 'vary' | 'determinism' | 'replays'>,
  clock: Clock,
): Job {
  const all = Array.from({ length: replaysOf(loaded, o) }, (_, i) => i + 1);
  const indices = o.shard ? all.filter((index) => (index - 1) % o.shard!.count === o.shard!.index - 1) : all;
  return {
    loaded,
    requested: indices.length,
    indices,
    startedAt: clock.now(),
    began: clock.monotonicMs(),
    policy: o.policy,
    shard: o.shard,
    evidence: null,
  };
}

/** Waits for all of them even when one fails: cleaning up may begin only when nothing runs any more. */
async function allDone<T>(work: Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(work);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return results.map((result) => (result as PromiseFulfilledResult<T>).value);
}

/** Runs the replays that are still missing, all through the one queue; stops early on request. */
async function replayAll(
  c: RunContext,
  job: Job,
  p: Prepared,
  folder: RunFolder,
  limit: Limit,
  o: Asked,
): Promise<RawReplay[]> {
  const { manifest } = job.loaded;
  const within = crashBudget();
  const done = folder
    .resume()
    .filter((replay) => job.indices.includes(replay.index))
    .map(within);
  // Only for progress and --fail-fast: without an expectation the first state stands for all.
  const { expect } = manifest;
  const { gates } = job.policy;
  const crashesSeen = p.mechanisms !== null;
  const outcomeOf = (replay: RawReplay): Outcome => {
    const first = done.find(completed) ?? replay;
    const sha256 = expect?.final_state_sha256 ?? first.final_state_sha256;
    const crashes = checkCrashes([first, replay], [first], { gates, expect, crashesSeen });
    return judgeReplays([replay], expect, { sha256, source: 'most_frequent' }, crashes)[0]!.outcome;
  };
  const tell = (replay: RawReplay, resumed: boolean): void =>
    o.onEvent?.({ type: 'replay', manifest: job.loaded.name, replay, resumed, outcome: outcomeOf(replay) });
  for (const replay of done) tell(replay, true);
  const have = new Set(done.map((replay) => replay.index));
  let stop = false;
  const one = async (index: number): Promise<void> => {
    if (stop || c.signal.aborted) return;
    const replay = await replayOnce(c, p, index, c.determinism.seeds?.[index - 1] ?? manifest.seed);
    await folder.keep(replay);
    tell(replay, false);
    done.push(within(replay));
    if (o.failFast && outcomeOf(replay) === 'diverged') stop = true;
  };
  const missing = job.indices.filter((index) => !have.has(index));
  await allDone(missing.map((index) => limit(() => one(index))));
  if (c.signal.aborted) throw new Fault('interrupted', 'interrupted');
  return done.sort((a, b) => a.index - b.index);
}

/** Evidence, preparation, replays, verdict: what happens to one manifest. */
async function judge(
  c: RunContext,
  verifier: EvidenceVerifier | null,
  job: Job,
  folder: RunFolder,
  limit: Limit,
  o: Asked,
): Promise<ReplayRecord> {
  const { loaded } = job;
  await c.store.put(canonicalJson(loaded.manifest));
  if (o.requireEvidence && !verifier)
    throw new Fault(
      'evidence_not_checked',
      `the policy ${o.policy.name} names no authority that may sign evidence`,
    );
  if (verifier) {
    const kept = await limit(() =>
      checkManifestEvidence(verifier, loaded, () => imageDigests(c, loaded.manifest)),
    );
    if (kept.record.verdict !== 'verified') return refusedByEvidence(job, kept, c.clock);
    job.evidence = kept;
  }
  const p = await limit(() => prepare(c, loaded, o.policy.gates.image_check === 'content'));
  o.onEvent?.({
    type: 'prepared',
    manifest: loaded.name,
    image: p.preparedImage.image.manifest,
    capture: p.preparedImage.way,
  });
  if (p.mechanisms && lostWith(p.mechanisms).length > 0)
    folder.tieTo([p.mechanisms, processorOf(p.observed), p.observed.kernel]);
  const replays = await replayAll(c, job, p, folder, limit, o);
  const desync = o.explain ? await limit(() => findDesync(c, p, replays)) : null;
  return conclude(c, job, p, replays, desync);
}

async function runManifest(
  c: RunContext,
  verifier: EvidenceVerifier | null,
  job: Job,
  limit: Limit,
  o: Asked,
): Promise<ReplayRecord> {
  const folder = RunFolder.open(o.out, job.loaded.sha256, [
    c.harness.initSha256,
    c.harness.seccompSha256,
    o.capture ?? 'auto',
    determinismOf(c, job.loaded.manifest),
    ...c.determinism.without,
    ...(c.determinism.seeds ?? []).map(String),
    ...(o.core ? ['core'] : []),
    ...(o.vary ? ['vary'] : []),
  ]);
  try {
    let record: ReplayRecord;
    try {
      record = await judge(c, verifier, job, folder, limit, o);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      // An error that an interruption caused is no failure of engine or registry.
      if (error.code === 'interrupted' || c.signal.aborted)
        throw new Fault('interrupted', 'interrupted', error);
      record = faultRecord(job, error, c.clock);
    }
    const path = await folder.finish(record);
    o.onEvent?.({ type: 'record', manifest: job.loaded.name, record, path });
    return record;
  } finally {
    folder.close();
  }
}

/** The record of a manifest whose run was interrupted: nothing is known about it yet. */
export function interruptedRecord(
  loaded: LoadedManifest,
  o: Pick<Asked, 'policy' | 'shard' | 'vary' | 'determinism' | 'replays' | 'clock'>,
): ReplayRecord {
  const clock = o.clock ?? systemClock;
  return faultRecord(planJob(loaded, o, clock), new Fault('interrupted', 'interrupted'), clock);
}

/** Replays every manifest; the records come in the manifests' order. Throws a Fault when nothing could start. */
export async function runManifests(engine: Engine, given: RunOptions): Promise<ReplayRecord[]> {
  const o = await fillIn(given);
  const clock = o.clock ?? systemClock;
  const harness = o.harness ?? loadHarness();
  const facts = await engine.facts();
  assertRunsOn(harness, facts.architecture);
  const swept = await sweep(engine);
  if (swept > 0) o.onEvent?.({ type: 'swept', count: swept });
  const store = new BlobStore(o.out);
  for (const folder of ['blobs', join('blobs', 'sha256'), 'custody']) sweepAsides(join(o.out, folder));
  for (const bytes of [harness.init, harness.seccompText, o.policy.canonical]) await store.put(bytes);
  for (const { bytes } of policyFiles(o.policy)) await store.put(bytes);
  const scope = new RunScope(engine);
  const determinism = o.determinism ?? { without: [] };
  const context: RunContext = {
    engine,
    facts,
    harness,
    store,
    imageStore: new BlobStore(o.imageCache),
    repositories: o.repositories,
    scope,
    clock,
    signal: o.signal,
    registries: new Registries(o),
    preparedImages: new Map(),
    ...(o.capture ? { capture: o.capture } : {}),
    determinism,
    mechanismsWanted: mechanismsWanted(o.policy.gates),
    ...(o.core ? { core: true } : {}),
    ...(o.vary ? { vary: true } : {}),
    ...(o.onlyRepositories ? { onlyRepositories: o.onlyRepositories } : {}),
    ...(o.imageArchive ? { imageArchive: o.imageArchive } : {}),
  };
  const verifier =
    o.policy.authorities.length > 0
      ? openVerifier(loadTrust(o.policy), o.evidenceStores ?? [], o.out, store, clock)
      : null;
  const limit = pLimit(o.jobs);
  try {
    const jobs = o.manifests.map((loaded) => planJob(loaded, o, clock)).filter((job) => job.requested > 0);
    return await allDone(jobs.map((job) => runManifest(context, verifier, job, limit, o)));
  } finally {
    await scope.close().catch(() => undefined);
  }
}
