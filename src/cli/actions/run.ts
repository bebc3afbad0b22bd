/** reenact run: options in, records, reports and an exit status out. */
import { availableParallelism } from 'node:os';
import { evidenceFolder } from '../../base/cache-folder.ts';
import { systemClock } from '../../base/clock.ts';
import { EXIT, FAULTS, Fault } from '../../base/fault.ts';
import { checkOutput, openOutput, wantFree, writeOutput } from '../../base/output.ts';
import { isRunEvent, type ReenactEvent } from '../../library/events.ts';
import type { Reenact } from '../../library/reenact.ts';
import type { ReplayOptions } from '../../library/run.ts';
import type { RunEvent } from '../../replay/events.ts';
import { humanReport } from '../../report/human.ts';
import { JUNIT_ROOTS, junitReport } from '../../report/junit.ts';
import { Progress, type ProgressMode } from '../../report/progress.ts';
import type { ReplayRecord } from '../../verdict/record.ts';
import { type Arguments, choice } from '../arguments.ts';
import { loadConfig } from '../shared/config.ts';
import { withReenact } from '../shared/door.ts';
import { wantsColour } from '../shared/terminal.ts';

function parseShard(text: string | undefined): { index: number; count: number } | undefined {
  if (text === undefined) return undefined;
  const [, index, count] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  if (!index || !count || Number(index) < 1 || Number(index) > Number(count))
    throw new Fault('usage', `--shard wants I/N with 1 <= I <= N, not "${text}"`);
  return { index: Number(index), count: Number(count) };
}

/** The worst outcome decides: rejected, then diverged or a failed gate, then inconclusive. */
export function exitStatus(records: Pick<ReplayRecord, 'verdict' | 'gates'>[]): number {
  if (records.some((r) => r.verdict === 'rejected')) return EXIT.rejected;
  if (
    records.some(
      (r) => r.verdict === 'diverged' || (r.verdict === 'reproduced' && r.gates.some((gate) => !gate.pass)),
    )
  )
    return EXIT.failed;
  return records.every((r) => r.verdict === 'reproduced') ? EXIT.ok : EXIT.inconclusive;
}

/** How earlier reports begin: each run makes them anew, and nothing else is replaced by one. */
const EVENTS = /^\{"time":"/;
const JUNIT = /^\s*(<\?xml[^>]*>\s*)?<testsuites?\b/;

/** Before anything is run: what cannot be written at the end is no reason to have run. */
function checkOutputs(a: Arguments): void {
  const [bundle, junit, events] = [a.text('bundle'), a.text('junit'), a.text('events')];
  if (bundle !== undefined)
    wantFree(
      bundle,
      'nothing was run',
      'name another file for the bundle: one that is there is never replaced (reenact bundle verify reads it)',
    );
  if (junit !== undefined) checkOutput(junit, JUNIT);
  if (events !== undefined) checkOutput(events, EVENTS);
}

/** Writes each event as a JSON line at once, so that a run that is killed leaves what it did. */
function eventWriter(path: string | undefined): (event: RunEvent) => void {
  if (path === undefined) return () => undefined;
  const output = openOutput(path, EVENTS);
  return (event) =>
    output.write(`${JSON.stringify({ time: new Date(systemClock.now()).toISOString(), ...event })}\n`);
}

async function report(records: ReplayRecord[], a: Arguments): Promise<void> {
  const junit = a.text('junit');
  if (junit !== undefined)
    await writeOutput(junit, junitReport(records, choice(a, 'junit-root', JUNIT_ROOTS)), JUNIT);
  if (a.json) {
    if (records.length === 1) a.json.one(records[0]);
    else a.json.list(records);
    return;
  }
  const style = { colour: wantsColour() };
  process.stdout.write(records.map((record) => humanReport(record, style)).join('\n'));
  if (records.length > 1) {
    const count = (verdict: string): number => records.filter((r) => r.verdict === verdict).length;
    process.stdout.write(
      `\n${records.length} manifests: ${count('reproduced')} reproduced, ${count('diverged')} diverged, ${count('rejected')} rejected, ${count('inconclusive')} inconclusive\n`,
    );
  }
}

const MAX_SEEDS = 100_000;

function seedsFrom(a: Arguments): number[] | undefined {
  const given = a.text('seeds');
  if (given === undefined) return undefined;
  const [, from, to] = /^(\d{1,15})\.\.(\d{1,15})$/.exec(given) ?? [];
  const count = Number(to) - Number(from) + 1;
  if (!(count >= 1 && count <= MAX_SEEDS))
    throw new Fault('usage', `--seeds wants A..B, at most ${MAX_SEEDS} of them, not "${given}"`);
  if (a.text('replays') !== undefined) throw new Fault('usage', '--seeds is one replay each: drop --replays');
  return Array.from({ length: count }, (_, i) => Number(from) + i);
}

/** Packs a record as soon as it is there; the bundle's identity goes to stderr, where it disturbs no report. */
async function pack(
  reenact: Reenact,
  record: ReplayRecord,
  a: Arguments,
  repositories: string[],
): Promise<void> {
  const bundle = a.text('bundle')!;
  const { root } = await reenact.createBundle(bundle, record, {
    withImage: a.flag('with-image'),
    repositories,
  });
  process.stderr.write(`bundle ${bundle}, identity ${root}\n`);
}

/** Closes an array here: where cleaning up does not end, the process is left at once. */
function endCutOff({ json }: Arguments): void {
  json?.fault({ code: 'interrupted', message: 'interrupted', next: FAULTS.interrupted.next });
  json?.end();
}

async function optionsFrom(a: Arguments): Promise<ReplayOptions> {
  const config = await loadConfig();
  const way = choice(a, 'capture-with', ['overlay', 'archive'] as const);
  const shard = parseShard(a.text('shard'));
  return {
    repositories: [...a.list('repository'), ...config.repositories],
    requireEvidence: a.flag('require-evidence') || config.require_evidence,
    evidenceStores: [...a.list('evidence'), ...config.evidence, evidenceFolder(process.env)],
    jobs: a.number('jobs', 1, 256, 2 * availableParallelism()),
    replays: a.text('replays') === undefined ? undefined : a.number('replays', 1, 100_000, 1),
    failFast: a.flag('fail-fast'),
    vary: a.flag('vary'),
    core: a.flag('core'),
    explain: a.flag('explain'),
    determinism: choice(a, 'determinism', ['full', 'off'] as const),
    seeds: seedsFrom(a),
    without: a.list('without'),
    shard,
    capture: way,
  };
}

export async function runCommand(a: Arguments): Promise<number> {
  const progressMode: ProgressMode =
    choice(a, 'progress', ['auto', 'bar', 'plain', 'none'] as const) ?? 'auto';
  choice(a, 'junit-root', JUNIT_ROOTS);
  checkOutputs(a);
  const options = await optionsFrom(a);
  const opened = { store: a.text('out'), policy: a.text('policy') };
  if (a.flag('dry-run')) {
    const planned = await withReenact(opened, (reenact) => reenact.dryRun(a.positionals, options));
    return exitStatus((await import('./dry-run.ts')).printPlan(planned, a.json));
  }
  let writeEvent = (_: RunEvent): void => undefined;
  let progress: Progress | undefined;
  let unfinished: ReplayRecord[] = [];
  const finished = new Map<string, ReplayRecord>();
  const onEvent = (event: ReenactEvent): void => {
    if (event.type === 'start') {
      unfinished = event.unfinished;
      writeEvent = eventWriter(a.text('events'));
      progress = new Progress(progressMode, event.replays, process.stderr, systemClock);
    }
    if (event.type === 'record') finished.set(event.record.manifest_path, event.record);
    if (!isRunEvent(event)) return;
    progress?.on(event);
    writeEvent(event);
  };
  // A report of nothing would read like a run in which nothing failed.
  const reportSoFar = async (): Promise<void> => {
    const records = unfinished.map((record) => finished.get(record.manifest_path) ?? record);
    if (records.length > 0) await report(records, a);
    endCutOff(a);
  };
  const work = async (reenact: Reenact): Promise<ReplayRecord[]> => {
    const manifests = await reenact.loadManifests(a.positionals);
    if (a.text('bundle') !== undefined && manifests.length !== 1)
      throw new Fault('usage', `--bundle packs one record, and ${manifests.length} manifests were named`);
    const records = await reenact.run(manifests, options).finally(() => progress?.end());
    if (a.text('bundle') !== undefined) await pack(reenact, records[0]!, a, options.repositories ?? []);
    return records;
  };
  const records = await withReenact({ ...opened, onEvent }, work, reportSoFar).catch(
    async (error: unknown) => {
      if (error instanceof Fault && error.code === 'interrupted') await reportSoFar();
      throw error;
    },
  );
  await report(records, a);
  return exitStatus(records);
}
