/** npm run determinism [-- GROUP…]: every program with determinism off, which must differ, and full, which must not. */
import { parseArgs } from 'node:util';

import { EXIT, FAULTS, Fault } from '../../src/base/fault.ts';
import { connectEngine } from '../../src/library/engine.ts';
import { withoutNamed } from '../../src/library/without.ts';
import { hostOf } from '../../src/sandbox/bare.ts';
import type { Engine } from '../../src/sandbox/engine.ts';
import { loadHarness } from '../../src/sandbox/harness.ts';
import type { Mechanism } from '../../src/sandbox/mechanisms.ts';
import { processorText } from '../../src/sandbox/processor.ts';
import { buildCases } from './builds.ts';
import { fixtureCases, racyCases } from './groups.ts';
import { judgeCases, type Row } from './judge.ts';
import { type Case, hasSupervisor } from './run.ts';
import { runtimeCases } from './runtimes.ts';
import { HEADER, rowText, totalsText } from './table.ts';
import { toolCases } from './tools.ts';
import { variedEngine } from './varied.ts';
import { judgeRow } from './verdict.ts';
import { wayOf } from './ways.ts';

/** Programs judged in one run of the product: enough to share its preparations, few enough to see progress. */
const BATCH = 12;

const GROUPS: Record<string, (registry: string, engine: Engine) => Promise<Case[]>> = {
  programs: fixtureCases,
  racy: racyCases,
  runtimes: runtimeCases,
  builds: buildCases,
  tools: toolCases,
};
const BY_DEFAULT = ['programs', 'racy'];

interface Arguments {
  groups: string[];
  only: RegExp;
  replays: number;
  controls: number;
  jobs: number;
  without: Mechanism[];
}

function parse(args: string[]): Arguments {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      replays: { type: 'string', default: '20' },
      controls: { type: 'string', default: '10' },
      jobs: { type: 'string', default: '2' },
      only: { type: 'string', default: '' },
      without: { type: 'string', multiple: true, default: [] },
    },
  });
  const groups = positionals.length > 0 ? positionals : BY_DEFAULT;
  const unknown = groups.filter((group) => !GROUPS[group]);
  if (unknown.length > 0)
    throw new Fault('usage', `no group ${unknown.join(', ')}: there are ${Object.keys(GROUPS).join(', ')}`);
  const number = (name: 'replays' | 'controls' | 'jobs', least: number): number => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < least)
      throw new Fault('usage', `--${name} wants a whole number from ${least}, not "${values[name]}"`);
    return value;
  };
  return {
    groups,
    only: new RegExp(values.only),
    replays: number('replays', 2),
    controls: number('controls', 2),
    jobs: number('jobs', 1),
    without: withoutNamed(values.without),
  };
}

/** On which kind of machine, and in which way: results of another say nothing about this one. */
async function wayText({ without }: Arguments): Promise<string> {
  const engine = await connectEngine();
  const { processor, mechanisms } = await hostOf(engine, loadHarness(), await engine.facts(), without);
  return `${wayOf(mechanisms)}; processor ${processorText(processor)}; mechanisms ${mechanisms.join(', ')}\n`;
}

/** Runs the groups and fills `rows`, so that what was judged is still there when something breaks it off. */
async function judgeGroups(a: Arguments, rows: Row[], signal: AbortSignal): Promise<void> {
  const registry = process.env.REENACT_REGISTRY;
  if (!registry || !process.env.DOCKER_HOST)
    throw new Fault('usage', 'DOCKER_HOST and REENACT_REGISTRY are not set; npm run determinism sets them');
  const engine = await variedEngine(process.env);
  const { replays, controls, jobs, without } = a;
  process.stdout.write(await wayText(a));
  for (const group of a.groups) {
    const cases = (await GROUPS[group]!(registry, engine)).filter((c) => a.only.test(c.name));
    if (cases.length === 0) throw new Fault('usage', `--only ${a.only.source} leaves nothing of ${group}`);
    process.stdout.write(`\n${group}\n${HEADER}`);
    for (let at = 0; at < cases.length; at += BATCH) {
      const batch = cases.slice(at, at + BATCH);
      const judged = await judgeCases(batch, { engine, replays, controls, jobs, signal, without });
      process.stdout.write(judged.map(rowText).join(''));
      rows.push(...judged);
    }
  }
}

async function main(): Promise<number> {
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort());
  const rows: Row[] = [];
  let status: number = EXIT.ok;
  try {
    const a = parse(process.argv.slice(2));
    if (!hasSupervisor())
      process.stdout.write('This release has no supervisor yet: only the controls are run.\n');
    await judgeGroups(a, rows, abort.signal);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    process.stderr.write(`${error.message}\n`);
    status = FAULTS[error.code].exit;
  }
  if (rows.length > 0) process.stdout.write(`\n${totalsText(rows)}`);
  if (status !== EXIT.ok) return status;
  if (!hasSupervisor()) return EXIT.inconclusive;
  return rows.every((row) => judgeRow(row).ok) ? EXIT.ok : EXIT.failed;
}

process.exitCode = await main();
