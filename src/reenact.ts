/** The pipeline, to be read top to bottom: manifests in, one record for each out. */

import { canonicalJson } from './base/canonical-json.ts';
import { Fault } from './base/fault.ts';
import { itemAt } from './base/list.ts';
import { openRun, type RunContext } from './replay/context.ts';
import { crashBudget } from './replay/crashes.ts';
import { findDesync } from './replay/desync.ts';
import { checkManifestEvidence } from './replay/evidence.ts';
import { RunFolder } from './replay/folder.ts';
import { type Job, planJob } from './replay/job.ts';
import { replayOnce } from './replay/one.ts';
import type { RunOptions } from './replay/options.ts';
import { conclude, faultRecord, refusedByEvidence } from './replay/outcome.ts';
import { determinismOf, imageDigests, prepare } from './replay/prepare.ts';
import type { Prepared } from './replay/prepared.ts';
import type { Engine } from './sandbox/engine.ts';
import { lostWith } from './sandbox/mechanisms.ts';
import { processorOf } from './sandbox/processor.ts';
import { checkCrashes } from './verdict/crash-check.ts';
import { completed, judgeReplays, type RawReplay } from './verdict/decide.ts';
import type { ReplayRecord } from './verdict/record.ts';
import type { Outcome } from './verdict/replay-result.ts';

/** Waits for all of them even when one fails: cleaning up may begin only when nothing runs any more. */
async function allDone<T>(work: Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(work);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

/** Runs the replays that are still missing, all through the one queue; stops early on request. */
async function replayAll(c: RunContext, job: Job, p: Prepared, folder: RunFolder): Promise<RawReplay[]> {
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
    return itemAt(judgeReplays([replay], expect, { sha256, source: 'most_frequent' }, crashes), 0).outcome;
  };
  const tell = (replay: RawReplay, resumed: boolean): void =>
    c.onEvent?.({ type: 'replay', manifest: job.loaded.name, replay, resumed, outcome: outcomeOf(replay) });
  for (const replay of done) tell(replay, true);
  const have = new Set(done.map((replay) => replay.index));
  let stop = false;
  const one = async (index: number): Promise<void> => {
    if (stop || c.signal.aborted) return;
    const replay = await replayOnce(c, p, index, c.determinism.seeds?.[index - 1] ?? manifest.seed);
    await folder.keep(replay);
    tell(replay, false);
    done.push(within(replay));
    if (c.failFast && outcomeOf(replay) === 'diverged') stop = true;
  };
  const missing = job.indices.filter((index) => !have.has(index));
  await allDone(missing.map((index) => c.queue(() => one(index))));
  if (c.signal.aborted) throw new Fault('interrupted', 'interrupted');
  return done.sort((a, b) => a.index - b.index);
}

/** Evidence, preparation, replays, verdict: what happens to one manifest. */
async function judge(c: RunContext, job: Job, folder: RunFolder): Promise<ReplayRecord> {
  const { loaded } = job;
  const { policy, verifier } = c;
  await c.store.put(canonicalJson(loaded.manifest));
  if (c.requireEvidence && !verifier)
    throw new Fault(
      'evidence_not_checked',
      `the policy ${policy.name} names no authority that may sign evidence`,
    );
  if (verifier) {
    const kept = await c.queue(() =>
      checkManifestEvidence(verifier, loaded, () => imageDigests(c, loaded.manifest)),
    );
    if (kept.record.verdict !== 'verified') return refusedByEvidence(job, kept, c.clock);
    job.evidence = kept;
  }
  const p = await c.queue(() => prepare(c, loaded, policy.gates.image_check === 'content'));
  c.onEvent?.({
    type: 'prepared',
    manifest: loaded.name,
    image: p.preparedImage.image.manifest,
    capture: p.preparedImage.way,
  });
  if (p.mechanisms && lostWith(p.mechanisms).length > 0)
    folder.tieTo([p.mechanisms, processorOf(p.observed), p.observed.kernel]);
  const replays = await replayAll(c, job, p, folder);
  const desync = c.explain ? await c.queue(() => findDesync(c, p, replays)) : null;
  return conclude(c, job, p, replays, desync);
}

async function runManifest(c: RunContext, job: Job): Promise<ReplayRecord> {
  const folder = RunFolder.open(c.out, job.loaded.sha256, [
    c.harness.initSha256,
    c.harness.seccompSha256,
    c.capture ?? 'auto',
    determinismOf(c, job.loaded.manifest),
    ...c.determinism.without,
    ...(c.determinism.seeds ?? []).map(String),
    ...(c.core ? ['core'] : []),
    ...(c.vary ? ['vary'] : []),
  ]);
  try {
    let record: ReplayRecord;
    try {
      record = await judge(c, job, folder);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      // An error that an interruption caused is no failure of engine or registry.
      if (error.code === 'interrupted' || c.signal.aborted)
        throw new Fault('interrupted', 'interrupted', error);
      record = faultRecord(job, error, c.clock);
    }
    const path = await folder.finish(record);
    c.onEvent?.({ type: 'record', manifest: job.loaded.name, record, path });
    return record;
  } finally {
    folder.close();
  }
}

/** Replays every manifest; the records come in the manifests' order. Throws a Fault when nothing could start. */
export async function runManifests(
  engine: Engine,
  { manifests, ...options }: RunOptions,
): Promise<ReplayRecord[]> {
  const c = await openRun(engine, options);
  try {
    const jobs = manifests.map((loaded) => planJob(loaded, c, c.clock)).filter((job) => job.requested > 0);
    return await allDone(jobs.map((job) => runManifest(c, job)));
  } finally {
    await c.scope.close().catch(() => undefined);
  }
}
