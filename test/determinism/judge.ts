/** Judges cases: first without determinism, as a control, which must differ, then with it. */
import type { Digest } from '../../src/base/digest.ts';
import type { Engine } from '../../src/sandbox/engine.ts';
import type { Mechanism } from '../../src/sandbox/mechanisms.ts';
import type { BlobStore } from '../../src/store/blobs.ts';
import { readState } from '../../src/verdict/explain.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import { type Case, hasSupervisor, runCases } from './run.ts';

export interface Control {
  /** Replays without determinism until two differed. */
  tried: number;
  differs: boolean;
  /** How it ended, which must be the same with determinism. */
  ending: string;
  ms: number;
  /** Why it says nothing: the program did not run to a good end. */
  broken: string | undefined;
}

export interface Replays {
  identical: number;
  of: number;
  ms: number;
  verdict: string;
  reason: string;
  ending: string;
  /** The state that counts: of one kind of machine it must be that of every other. */
  state: Digest | null;
  /** What the reference printed; empty when it is not known. */
  stdout: string;
  /** The first difference, or the message of a verdict that is none. */
  detail: string;
}

export interface Row {
  case: Case;
  control: Control;
  /** undefined: the product has no determinism yet. */
  replays: Replays | undefined;
}

export interface JudgeOptions {
  engine: Engine;
  /** Replays with determinism; and controls at most. */
  replays: number;
  controls: number;
  jobs: number;
  signal: AbortSignal;
  /** As on a host that lacks these. */
  without?: Mechanism[];
}

interface Ran {
  record: ReplayRecord;
  stdout: string;
}

/** The record, and what the state that all replays were compared with says was printed. */
async function look(record: ReplayRecord, store: BlobStore): Promise<Ran> {
  const state = record.final_state_sha256 && (await readState(store, record.final_state_sha256));
  return { record, stdout: state ? String((await store.get(state.stdout.sha256)) ?? '') : '' };
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

function endings(record: ReplayRecord): string {
  const each = record.replays.map((r) =>
    r.ended === 'exit' ? `exit ${r.exit_code}` : r.ended === 'signal' ? r.signal : (r.ended ?? r.error?.code),
  );
  return [...new Set(each)].sort().join(', ');
}

/** How often the most frequent state occurs among replays that ended in one, and how many states there are. */
function states(record: ReplayRecord): { most: number; different: number } {
  const counts = new Map<string, number>();
  for (const { final_state_sha256: state } of record.replays)
    if (state) counts.set(state, (counts.get(state) ?? 0) + 1);
  return { most: Math.max(0, ...counts.values()), different: counts.size };
}

function judgeControl({ record }: Ran): Control {
  const ending = endings(record);
  return {
    tried: record.replays.length,
    differs: states(record).different > 1,
    ending,
    ms: median(record.replays.map((r) => r.duration_ms)),
    broken: ending === 'exit 0' ? undefined : `${ending || 'nothing ran'}; ${record.message}`,
  };
}

function judgeReplays({ record, stdout }: Ran): Replays {
  const { divergence } = record;
  const context = divergence?.context;
  return {
    identical: states(record).most,
    of: record.requested,
    ms: median(record.replays.map((r) => r.duration_ms)),
    verdict: record.verdict,
    reason: record.reason,
    ending: endings(record),
    state: record.final_state_sha256,
    stdout,
    detail: context ? `${context.expected} | ${context.actual}` : record.message,
  };
}

/** Runs the cases without determinism until two replays differ, in their order. */
export async function controlCases(
  cases: Case[],
  { controls: replays, without: _without, ...o }: JudgeOptions,
): Promise<Control[]> {
  const ran = await runCases(cases, { ...o, determinism: 'off', replays, failFast: true }, look);
  return ran.map(judgeControl);
}

/** Runs the cases with determinism, in their order. */
export async function replayCases(
  cases: Case[],
  { controls: _controls, ...o }: JudgeOptions,
): Promise<Replays[]> {
  const ran = await runCases(cases, { ...o, determinism: 'full', failFast: false }, look);
  return ran.map(judgeReplays);
}

/** Runs and judges the cases, in their order. */
export async function judgeCases(cases: Case[], o: JudgeOptions): Promise<Row[]> {
  const controls = await controlCases(cases, o);
  const replays = hasSupervisor() ? await replayCases(cases, o) : [];
  return cases.map((c, i) => ({ case: c, control: controls[i]!, replays: replays[i] }));
}
