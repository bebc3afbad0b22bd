/** reenact run: options in, records, reports and an exit status out. */
import { availableParallelism } from 'node:os';
import { systemClock } from '../../base/clock.ts';
import { EXIT, FAULTS, Fault } from '../../base/fault.ts';
import { checkOutput, openOutput, wantFree, writeOutput } from '../../base/output.ts';
import type { Reenact } from '../../library/reenact.ts';
import type { ReplayOptions } from '../../library/run.ts';
import { isRunEvent, type ReenactEvent } from '../../library/session.ts';
import { withoutNamed } from '../../library/without.ts';
import { type LoadedManifest, loadManifests } from '../../manifest/load.ts';
import { unsuppliedInputs } from '../../manifest/unsupplied.ts';
import { loadPolicy } from '../../policy/policy.ts';
import { interruptedRecord } from '../../reenact.ts';
import type { RunEvent } from '../../replay/events.ts';
import { replaysOf } from '../../replay/options.ts';
import { determinismOf } from '../../replay/prepare.ts';
import { humanReport, safeLine } from '../../report/human.ts';
import { JUNIT_ROOTS, junitReport } from '../../report/junit.ts';
import { Progress, type ProgressMode } from '../../report/progress.ts';
import type { DeterminismChoice } from '../../sandbox/mechanisms.ts';
import type { ReplayRecord } from '../../verdict/record.ts';
import { type Arguments, choice } from '../arguments.ts';
import { loadConfig } from '../shared/config.ts';
import { withReenact } from '../shared/door.ts';
import { evidenceFolder } from '../shared/evidence-folder.ts';
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

function determinismFrom(a: Arguments): DeterminismChoice {
  const mode = choice(a, 'determinism', ['full', 'off'] as const);
  const seeds = seedsFrom(a);
  if (seeds && mode === 'off') throw new Fault('usage', '--seeds needs --determinism full');
  return {
    ...(seeds ? { mode: 'full' as const, seeds } : mode ? { mode } : {}),
    without: withoutNamed(a.list('without')),
  };
}

/** A forgotten input makes every replay end alike, and not as the incident did. */
function warnOfUnsupplied(manifests: LoadedManifest[]): void {
  for (const { path, argv, manifest } of manifests) {
    const texts = [...argv, ...Object.values(manifest.env ?? {})];
    const paths = (manifest.inputs ?? []).map((input) => input.path);
    for (const missing of unsuppliedInputs(texts, paths))
      process.stderr.write(
        `warning: ${safeLine(`${path}: the command names ${missing}, and no input supplies it`)}\n`,
      );
  }
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

export async function runCommand(a: Arguments): Promise<number> {
  if (a.positionals.length === 0) throw new Fault('usage', 'name at least one manifest');
  const replays = a.text('replays') === undefined ? undefined : a.number('replays', 1, 100_000, 1);
  const jobs = a.number('jobs', 1, 256, 2 * availableParallelism());
  const progressMode: ProgressMode =
    choice(a, 'progress', ['auto', 'bar', 'plain', 'none'] as const) ?? 'auto';
  choice(a, 'junit-root', JUNIT_ROOTS);
  const way = choice(a, 'capture-with', ['overlay', 'archive'] as const);
  const determinism = determinismFrom(a);
  if (a.flag('vary') && (determinism.seeds || a.text('replays') !== undefined))
    throw new Fault('usage', '--vary has replays of its own: drop --replays and --seeds');
  const shard = parseShard(a.text('shard'));
  const manifests = await loadManifests(a.positionals, (text) => process.stderr.write(`${safeLine(text)}\n`));
  warnOfUnsupplied(manifests);
  if (a.text('bundle') !== undefined && manifests.length !== 1)
    throw new Fault('usage', `--bundle packs one record, and ${manifests.length} manifests were named`);
  checkOutputs(a);
  const free = manifests.find(({ manifest }) => determinismOf({ determinism }, manifest) !== 'full');
  for (const flag of ['core', 'explain'])
    if (a.flag(flag) && free)
      throw new Fault('usage', `--${flag} wants --determinism full, and ${free.path} does not ask for it`);
  if (a.flag('explain') && determinism.seeds)
    throw new Fault('usage', '--explain wants replays of one seed: those of --seeds part by intention');
  const policy = await loadPolicy(a.text('policy') ?? 'default');
  const config = await loadConfig();
  const repositories = [...a.list('repository'), ...config.repositories];
  const asked = { vary: a.flag('vary'), determinism, ...(replays === undefined ? {} : { replays }) };
  const countOf = (loaded: LoadedManifest): number => replaysOf(loaded, asked);
  const evidence = {
    requireEvidence: a.flag('require-evidence') || config.require_evidence,
    evidenceStores: [...a.list('evidence'), ...config.evidence, evidenceFolder()],
  };
  if (a.flag('dry-run')) {
    const planned = { policy, ...evidence, out: a.text('out') ?? '.reenact', repositories };
    return exitStatus(await (await import('./dry-run.ts')).dryRun(manifests, countOf, planned, a.json));
  }
  const writeEvent = eventWriter(a.text('events'));
  const total = manifests.reduce((sum, m) => sum + Math.ceil(countOf(m) / (shard?.count ?? 1)), 0);
  const progress = new Progress(progressMode, total, process.stderr, systemClock);
  const finished = new Map<string, ReplayRecord>();
  const reportSoFar = (): Promise<void> =>
    report(
      manifests.map(
        (loaded) =>
          finished.get(loaded.path) ??
          interruptedRecord(loaded, { policy, ...asked, ...(shard ? { shard } : {}) }),
      ),
      a,
    ).then(() => endCutOff(a));
  const options: ReplayOptions = {
    policy,
    repositories,
    jobs,
    failFast: a.flag('fail-fast'),
    ...evidence,
    vary: asked.vary,
    ...(replays === undefined ? {} : { replays }),
    determinism: determinism.mode,
    seeds: determinism.seeds,
    without: a.list('without'),
    ...(shard ? { shard } : {}),
    ...(a.flag('core') ? { core: true } : {}),
    ...(a.flag('explain') ? { explain: true } : {}),
    ...(way ? { capture: way } : {}),
  };
  const onEvent = (event: ReenactEvent): void => {
    if (event.type === 'record') finished.set(event.record.manifest_path, event.record);
    if (!isRunEvent(event)) return;
    progress.on(event);
    writeEvent(event);
  };
  const work = async (reenact: Reenact): Promise<ReplayRecord[]> => {
    const records = await reenact.run(manifests, options).finally(() => progress.end());
    if (a.text('bundle') !== undefined) await pack(reenact, records[0]!, a, repositories);
    return records;
  };
  const records = await withReenact({ store: a.text('out'), onEvent }, work, reportSoFar).catch(
    async (error: unknown) => {
      if (error instanceof Fault && error.code === 'interrupted') await reportSoFar();
      throw error;
    },
  );
  await report(records, a);
  return exitStatus(records);
}
