/** Runs cases as the product does, once without determinism as a control and then with it, and judges both. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { BuiltImage } from '../../setup/image.ts';
import { manifestSchema } from '../../src/manifest/definition.ts';
import { loadManifests } from '../../src/manifest/load.ts';
import { loadPolicy } from '../../src/policy/policy.ts';
import { runManifests } from '../../src/reenact.ts';
import type { Engine } from '../../src/sandbox/port.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { readState } from '../../src/verdict/explain.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import type { Expected } from './programs.ts';

export interface Case {
  group: string;
  name: string;
  /** The line of docs/determinism.md's sources, or what would make it differ. */
  source: string;
  expected: Expected;
  run: string;
  image: BuiltImage;
  timeoutS: number;
}

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
}

/** Whether this release of the product can make a replay deterministic. */
export function hasSupervisor(): boolean {
  return 'determinism' in (manifestSchema().properties as object);
}

function manifestOf(c: Case, determinism: 'full' | 'off'): object {
  return {
    harness_version: '1',
    os: 'linux',
    sandbox_image_sha256: c.image.manifest,
    sandbox_image: c.image.repository,
    seed: 7,
    name: c.name,
    run_instructions: c.run,
    limits: { cpus: 2, timeout: c.timeoutS },
    ...(hasSupervisor() ? { determinism } : {}),
  };
}

interface Ran {
  record: ReplayRecord;
  stdout: string;
}

/** What the state that all replays were compared with says was printed. */
async function printed(store: BlobStore, record: ReplayRecord): Promise<string> {
  const state = record.final_state_sha256 && (await readState(store, record.final_state_sha256));
  return state ? String((await store.get(state.stdout.sha256)) ?? '') : '';
}

async function runCases(cases: Case[], determinism: 'full' | 'off', o: JudgeOptions): Promise<Ran[]> {
  const folder = mkdtempSync(join(tmpdir(), 'reenact-determinism-'));
  try {
    const paths = cases.map((c, i) => {
      mkdirSync(join(folder, String(i)));
      const path = join(folder, String(i), 'manifest.json');
      writeFileSync(path, JSON.stringify(manifestOf(c, determinism)));
      return path;
    });
    const records = await runManifests(o.engine, {
      manifests: await loadManifests(paths),
      policy: await loadPolicy('default'),
      out: join(folder, 'out'),
      imageCache: join(folder, 'images'),
      repositories: [],
      jobs: o.jobs,
      replays: determinism === 'full' ? o.replays : o.controls,
      failFast: determinism === 'off',
      signal: o.signal,
    });
    const store = new BlobStore(join(folder, 'out'));
    return await Promise.all(
      records.map(async (record) => ({ record, stdout: await printed(store, record) })),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
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
    stdout,
    detail: context ? `${context.expected} | ${context.actual}` : record.message,
  };
}

/** Runs and judges the cases, in their order. */
export async function judgeCases(cases: Case[], o: JudgeOptions): Promise<Row[]> {
  const controls = await runCases(cases, 'off', o);
  const replays = hasSupervisor() ? await runCases(cases, 'full', o) : [];
  return cases.map((c, i) => ({
    case: c,
    control: judgeControl(controls[i]!),
    replays: replays[i] ? judgeReplays(replays[i]) : undefined,
  }));
}
