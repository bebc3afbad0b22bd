/** Makes the record of a manifest's run out of what was found, also when it ended before the first replay. */
import { randomBytes } from 'node:crypto';
import { cpus } from 'node:os';

import type { Clock } from '../base/clock.ts';
import { digestOf } from '../base/digest.ts';
import { EXIT, FAULTS, type Fault } from '../base/fault.ts';
import { nextOf } from '../evidence/documents/record.ts';
import { manifestSubject } from '../manifest/subject.ts';
import { processorOf } from '../sandbox/processor.ts';
import { UNCAPTURED } from '../state/select.ts';
import { compareClaims } from '../verdict/claims.ts';
import { decide, finalStateOf, type RawReplay } from '../verdict/decide.ts';
import type { Desync } from '../verdict/desync.ts';
import { explain } from '../verdict/explain.ts';
import { machineFacts } from '../verdict/machine.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import type { RunContext } from './context.ts';
import type { KeptEvidence } from './evidence.ts';
import type { Job } from './job.ts';
import type { Prepared } from './prepared.ts';

function evidenceOf({ evidence }: Job): ReplayRecord['evidence'] {
  if (!evidence)
    return { status: 'not_checked', record: null, record_sha256: null, files: [], custody: null };
  return { status: evidence.record.verdict, ...evidence };
}

/** The record before anything is known beside the manifest: what a run that never started leaves. */
function blankRecord(job: Job, clock: Clock): ReplayRecord {
  const { loaded } = job;
  return {
    record_version: 1,
    nonce: digestOf(randomBytes(32)),
    name: loaded.name,
    manifest_path: loaded.path,
    manifest_sha256: loaded.sha256,
    manifest_subject_sha256: manifestSubject(loaded.manifest),
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
    policy: { name: job.policy.name, sha256: job.policy.sha256 },
    evidence: evidenceOf(job),
    image: null,
    claims: [],
    degraded: [],
    uncaptured: [...UNCAPTURED],
    divergence: null,
    environment: null,
    shard: job.shard ? `${job.shard.index}/${job.shard.count}` : null,
    started_at: new Date(job.startedAt).toISOString(),
    duration_ms: Math.round(clock.monotonicMs() - job.began),
  };
}

function environmentOf(c: RunContext, p: Prepared): ReplayRecord['environment'] {
  return {
    engine: `${c.facts.engine} ${c.facts.version}`,
    api_version: c.facts.apiVersion,
    kernel: p.observed.kernel,
    cpu: p.observed.cpu_name ?? cpus()[0]?.model ?? 'unknown',
    processor: processorOf(p.observed),
    storage_driver: c.facts.storageDriver,
    capture: p.preparedImage.way,
    seccomp_sha256: c.harness.seccompSha256,
    harness_sha256: c.harness.initSha256,
    determinism: p.mechanisms ? 'full' : 'off',
    ...(p.mechanisms ? { mechanisms: p.mechanisms, virtual_time: 'calls' as const } : {}),
    ...(p.chaos ? { schedule: 'chaos' as const } : {}),
    trusted: ['container engine', 'root of the engine’s machine', 'kernel'],
  };
}

function imageOf(p: Prepared): ReplayRecord['image'] {
  const { image, contentChecked } = p.preparedImage;
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

function sentence(record: ReplayRecord): string {
  const worst = record.replays.find((replay) => replay.error);
  return worst?.error ? worst.error.message : '';
}

/** The record of replays that ran. */
export async function conclude(
  c: RunContext,
  job: Job,
  p: Prepared,
  raw: RawReplay[],
  desync: Desync | null,
): Promise<ReplayRecord> {
  const { manifest } = job.loaded;
  const claims = compareClaims(manifest, p.observed);
  const imageCheck = p.preparedImage.contentChecked ? 'content' : 'engine';
  const environment = environmentOf(c, p);
  const machine = machineFacts(environment, manifest.expect);
  // The expected state of another kind of machine is not called the same without a word about it.
  const tied = manifest.expect?.processor !== undefined && machine.elsewhere !== null;
  const degraded = [...p.degraded, ...(tied ? [machine.elsewhere!] : [])];
  const decision = decide(raw, {
    requested: job.requested,
    gates: job.policy.gates,
    expect: manifest.expect,
    imageCheck,
    degraded,
    claims,
    ...machine,
  });
  const record: ReplayRecord = {
    ...blankRecord(job, c.clock),
    verdict: decision.verdict,
    reason: decision.reason,
    flaky: decision.flaky,
    replay_success_ratio: decision.ratio,
    final_state_sha256: finalStateOf(decision.replays),
    gates: decision.gates,
    replays: decision.replays,
    image: imageOf(p),
    claims,
    degraded,
    uncaptured: [...UNCAPTURED, ...p.preparedImage.image.volumes],
    divergence: await explain(c.store, decision, manifest.expect),
    ...(desync ? { desync } : {}),
    environment,
  };
  return {
    ...record,
    message: decision.reason === 'other_processor' ? machine.elsewhere! : sentence(record),
  };
}

/** A Fault before the first replay ends that manifest alone, with a record that says so. */
export function faultRecord(job: Job, fault: Fault, clock: Clock): ReplayRecord {
  const verdict = FAULTS[fault.code].exit === EXIT.rejected ? 'rejected' : 'inconclusive';
  return {
    ...blankRecord(job, clock),
    verdict,
    reason: fault.code,
    message: `${fault.message}; ${fault.next}`,
  };
}

/** Evidence that was not accepted ends a manifest before anything is pulled or started for it. */
export function refusedByEvidence(job: Job, evidence: KeptEvidence, clock: Clock): ReplayRecord {
  const { code, message, verdict } = evidence.record;
  return {
    ...blankRecord({ ...job, evidence }, clock),
    verdict: verdict === 'error' ? 'inconclusive' : 'rejected',
    reason: code ?? 'internal',
    message: `${message}; ${nextOf(evidence.record)}`,
  };
}
