/** npm run determinism [-- GROUP…]: every program with determinism off, which must differ, and full, which must not. */
import { parseArgs } from 'node:util';

import type { Engine } from '../../src/sandbox/port.ts';
import { buildCases } from './builds.ts';
import { fixtureCases, racyCases } from './groups.ts';
import { judgeCases, type Row } from './judge.ts';
import { type Case, hasSupervisor } from './run.ts';
import { runtimeCases } from './runtimes.ts';
import { HEADER, rowText, totalsText } from './table.ts';
import { variedEngine } from './varied.ts';
import { judgeRow } from './verdict.ts';

/** Programs judged in one run of the product: enough to share its preparations, few enough to see progress. */
const BATCH = 12;

const GROUPS: Record<string, (registry: string, engine: Engine) => Promise<Case[]>> = {
  programs: fixtureCases,
  racy: racyCases,
  runtimes: runtimeCases,
  builds: buildCases,
};
const BY_DEFAULT = ['programs', 'racy'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    replays: { type: 'string', default: '20' },
    controls: { type: 'string', default: '10' },
    jobs: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
  },
});

const groups = positionals.length > 0 ? positionals : BY_DEFAULT;
const unknown = groups.filter((group) => !GROUPS[group]);
if (unknown.length > 0) {
  process.stderr.write(`no such group: ${unknown.join(', ')}; there are ${Object.keys(GROUPS).join(', ')}\n`);
  process.exit(64);
}
const registry = process.env.REENACT_REGISTRY;
if (!registry || !process.env.DOCKER_HOST) {
  process.stderr.write('DOCKER_HOST and REENACT_REGISTRY are not set; npm run determinism sets them\n');
  process.exit(64);
}
const abort = new AbortController();
process.once('SIGINT', () => abort.abort());
const engine = await variedEngine(process.env);
if (!hasSupervisor())
  process.stdout.write('This release has no supervisor yet: only the controls are run.\n');
const rows: Row[] = [];
for (const group of groups) {
  const all = await GROUPS[group]!(registry, engine);
  const cases = all.filter((c) => new RegExp(values.only).test(c.name));
  process.stdout.write(`\n${group}\n${HEADER}`);
  for (let at = 0; at < cases.length; at += BATCH) {
    const judged = await judgeCases(cases.slice(at, at + BATCH), {
      engine,
      replays: Number(values.replays),
      controls: Number(values.controls),
      jobs: Number(values.jobs),
      signal: abort.signal,
    });
    process.stdout.write(judged.map(rowText).join(''));
    rows.push(...judged);
  }
}
process.stdout.write(`\n${totalsText(rows)}`);
process.exitCode = hasSupervisor() ? (rows.every((row) => judgeRow(row).ok) ? 0 : 1) : 3;
