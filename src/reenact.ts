/** The pipeline, to be read top to bottom: manifests in, one record for each out. */
import { cpus } from 'node:os';
import pLimit from 'p-limit';

import { type Clock, systemClock } from './base/clock.ts';
import type { Digest } from './base/digest.ts';
import { EXIT, FAULTS, Fault } from './base/fault.ts';
import { DEFAULTS } from './base/limits.ts';
import type { LoadedManifest } from './manifest/load.ts';
import type { Policy } from './policy/policy.ts';
import type { RunContext } from './replay/context.ts';
import type { RunEvent } from './replay/events.ts';
import { RunFolder } from './replay/folder.ts';
import { replayOnce } from './replay/one.ts';
import { type Prepared, prepare } from './replay/prepare.ts';
import { loadKit } from './sandbox/kit.ts';
import type { Engine } from './sandbox/port.ts';
import { RunScope, sweep } from './sandbox/scope.ts';
import type { CaptureWay } from './state/capture.ts';
import { UNCAPTURED } from './state/select.ts';
import { BlobStore } from './store/blobs.ts';
import { compareClaims } from './verdict/claims.ts';
import { completed, decide, judgeReplays, type RawReplay } from './verdict/decide.ts';
import { explain } from './verdict/explain.ts';
import type { Outcome, ReplayRecord } from './verdict/record.ts';

export interface RunOptions {
  manifests: LoadedManifest[];
  policy: Policy;
  /** Folder for states, outputs and records. */
  out: string;
  /** Folder for manifests and configurations of images, kept between runs. */
  imageCache: string;
  repositories: string[];
  jobs: number;
  replays?: number;
  failFast?: boolean;
  shard?: { index: number; count: number };
  capture?: CaptureWay;
  signal: AbortSignal;
  clock?: Clock;
  onEvent?: (event: RunEvent) => void;
}

type Limit = ReturnType<typeof pLimit>;

interface Job {
  loaded: LoadedManifest;
  requested: number;
  indices: number[];
  startedAt: number;
  began: number;
}

/** Shards take turns, so that each gets its part of every manifest. */
function planJob(loaded: LoadedManifest, o: RunOptions, clock: Clock): Job {
  const all = Array.from(
    { length: o.replays ?? loaded.manifest.replays ?? DEFAULTS.replays },
    (_, i) => i + 1,
  );
  const indices = o.shard ? all.filter((index) => (index - 1) % o.shard!.count === o.shard!.index - 1) : all;
  return { loaded, requested: indices.length, indices, startedAt: clock.now(), began: clock.monotonicMs() };
}

/** The record before anything is known beside the manifest: what a run that never started leaves. */
function blankRecord(job: Job, o: RunOptions, clock: Clock): ReplayRecord {
  const { loaded } = job;
  return {
    record_version: 1,
    name: loaded.name,
    manifest_path: loaded.path,
    manifest_sha256: loaded.sha256,
    sandbox_image_sha256: loaded.manifest.sandbox_image_sha256,
    verdict: 'inconclusive',
    reason: 'not_run',
    message: '',
    flaky: false,
    requested: job.requested,
    replay_success_ratio: 0,
    final_state_sha256: null,
    expected_state_sha256: loaded.manifest.expect?.final_state_sha256 ?? null,
    gates: [],
    replays: [],
    policy: { name: o.policy.name, sha256: o.policy.sha256 },
    evidence: 'not_checked',
    image: null,
    claims: [],
    degraded: [],
    uncaptured: [...UNCAPTURED],
    divergence: null,
    environment: null,
    shard: o.shard ? `${o.shard.index}/${o.shard.count}` : null,
    started_at: new Date(job.startedAt).toISOString(),
    duration_ms: Math.round(clock.monotonicMs() - job.began),
  };
}

function environmentOf(c: RunContext, p: Prepared): ReplayRecord['environment'] {
  return {
    engine: `${c.facts.engine} ${c.facts.version}`,
    api_version: c.facts.apiVersion,
    kernel: p.observed.kernel,
    cpu: cpus()[0]?.model ?? 'unknown',
    storage_driver: c.facts.storageDriver,
    capture: p.bench.way,
    seccomp_sha256: c.kit.seccompSha256,
    harness_sha256: c.kit.initSha256,
    trusted: ['container engine', 'root of the engine’s machine', 'kernel'],
  };
}

function imageOf(p: Prepared): ReplayRecord['image'] {
  const { image, contentChecked } = p.bench;
  return {
    requested: image.requested,
    kind: image.kind,
    manifest: image.manifest,
    config: image.config,
    diff_ids: image.diffIds,
    platform: `${image.platform.os}/${image.platform.architecture}`,
    image_check: contentChecked ? 'content' : 'engine',
  };
}

/** Waits for all of them even when one fails: cleaning up may begin only when nothing is under way. */
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
  o: RunOptions,
): Promise<RawReplay[]> {
  const { manifest } = job.loaded;
  const done = folder.resume().filter((replay) => job.indices.includes(replay.index));
  // Only for progress and --fail-fast: without an expectation the first state stands for all.
  const { expect } = manifest;
  const firstState = (): Digest | null =>
    expect?.final_state_sha256 ?? done.find(completed)?.final_state_sha256 ?? null;
  const outcomeOf = (replay: RawReplay): Outcome =>
    judgeReplays([replay], expect, {
      sha256: firstState() ?? replay.final_state_sha256,
      source: 'most_frequent',
    })[0]!.outcome;
  const tell = (replay: RawReplay, resumed: boolean): void =>
    o.onEvent?.({ type: 'replay', manifest: job.loaded.name, replay, resumed, outcome: outcomeOf(replay) });
  for (const replay of done) tell(replay, true);
  const have = new Set(done.map((replay) => replay.index));
  let stop = false;
  const one = async (index: number): Promise<void> => {
    if (stop || c.signal.aborted) return;
    const replay = await replayOnce(c, p, index, manifest.seed);
    await folder.keep(replay);
    tell(replay, false);
    done.push(replay);
    if (o.failFast && outcomeOf(replay) === 'diverged') stop = true;
  };
  const missing = job.indices.filter((index) => !have.has(index));
  await allDone(missing.map((index) => limit(() => one(index))));
  if (c.signal.aborted) throw new Fault('interrupted', 'interrupted');
  return done.sort((a, b) => a.index - b.index);
}

function sentence(record: ReplayRecord): string {
  const worst = record.replays.find((replay) => replay.error);
  return worst?.error ? worst.error.message : '';
}

async function conclude(
  c: RunContext,
  job: Job,
  p: Prepared,
  raw: RawReplay[],
  o: RunOptions,
): Promise<ReplayRecord> {
  const { manifest } = job.loaded;
  const claims = compareClaims(manifest, p.observed);
  const imageCheck = p.bench.contentChecked ? 'content' : 'engine';
  const decision = decide(raw, {
    requested: job.requested,
    gates: o.policy.gates,
    expect: manifest.expect,
    imageCheck,
    degraded: p.degraded,
    claims,
  });
  const record: ReplayRecord = {
    ...blankRecord(job, o, c.clock),
    verdict: decision.verdict,
    reason: decision.reason,
    flaky: decision.flaky,
    replay_success_ratio: decision.ratio,
    final_state_sha256:
      decision.replays.find((r) => r.outcome === 'match')?.final_state_sha256 ??
      raw.find(completed)?.final_state_sha256 ??
      null,
    gates: decision.gates,
    replays: decision.replays,
    image: imageOf(p),
    claims,
    degraded: p.degraded,
    uncaptured: [...UNCAPTURED, ...p.bench.image.volumes],
    divergence: await explain(c.store, decision, manifest.expect),
    environment: environmentOf(c, p),
  };
  return { ...record, message: sentence(record) };
}

/** A Fault before the first replay ends that manifest alone, with a record that says so. */
function faultRecord(job: Job, fault: Fault, o: RunOptions, clock: Clock): ReplayRecord {
  const verdict = FAULTS[fault.code].exit === EXIT.rejected ? 'rejected' : 'inconclusive';
  return {
    ...blankRecord(job, o, clock),
    verdict,
    reason: fault.code,
    message: `${fault.message}; ${FAULTS[fault.code].next}`,
  };
}

async function runManifest(c: RunContext, job: Job, limit: Limit, o: RunOptions): Promise<ReplayRecord> {
  const folder = RunFolder.open(o.out, job.loaded.sha256, [
    c.kit.initSha256,
    c.kit.seccompSha256,
    o.capture ?? 'auto',
  ]);
  try {
    let record: ReplayRecord;
    try {
      const p = await limit(() => prepare(c, job.loaded, o.policy.gates.image_check === 'content'));
      o.onEvent?.({
        type: 'prepared',
        manifest: job.loaded.name,
        image: p.bench.image.manifest,
        capture: p.bench.way,
      });
      record = await conclude(c, job, p, await replayAll(c, job, p, folder, limit, o), o);
    } catch (error) {
      if (!(error instanceof Fault) || error.code === 'interrupted' || c.signal.aborted) throw error;
      record = faultRecord(job, error, o, c.clock);
    }
    const path = await folder.finish(record);
    o.onEvent?.({ type: 'record', manifest: job.loaded.name, record, path });
    return record;
  } finally {
    folder.close();
  }
}

/** Replays every manifest; the records come in the manifests' order. Throws a Fault when nothing could start. */
export async function runManifests(engine: Engine, o: RunOptions): Promise<ReplayRecord[]> {
  const clock = o.clock ?? systemClock;
  const kit = loadKit();
  const facts = await engine.facts();
  const swept = await sweep(engine);
  if (swept > 0) o.onEvent?.({ type: 'swept', count: swept });
  const store = new BlobStore(o.out);
  await store.put(kit.seccompText);
  const scope = new RunScope(engine);
  const context: RunContext = {
    engine,
    facts,
    kit,
    store,
    imageStore: new BlobStore(o.imageCache),
    repositories: o.repositories,
    scope,
    clock,
    signal: o.signal,
    benches: new Map(),
    ...(o.capture ? { capture: o.capture } : {}),
  };
  const limit = pLimit(o.jobs);
  try {
    const jobs = o.manifests.map((loaded) => planJob(loaded, o, clock)).filter((job) => job.requested > 0);
    return await allDone(jobs.map((job) => runManifest(context, job, limit, o)));
  } finally {
    await scope.close().catch(() => undefined);
  }
}
