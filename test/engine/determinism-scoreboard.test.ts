import { beforeAll, expect, it } from 'vitest';

import { programCases, racyPrograms } from '../determinism/groups.ts';
import { judgeCases, type Row } from '../determinism/judge.ts';
import { fixturePrograms } from '../determinism/programs.ts';
import { hasSupervisor } from '../determinism/run.ts';
import { rowText } from '../determinism/table.ts';
import { variedEngine } from '../determinism/varied.ts';
import { judgeRow } from '../determinism/verdict.ts';
import { describeEngine, world } from '../support/world.ts';

/** One or two of each source, and two that race; npm run determinism runs all, 20 times. */
const SUBSET = [
  'addresses',
  'clock-gettime',
  'fifo',
  'getrandom',
  'mutating-spin',
  'mutex',
  'pids',
  'pipes',
  'pure-spin',
  'racy-001',
  'racy-002',
  'readdir',
  'timerfd-shared',
  'uname',
];

describeEngine('the scoreboard’s subset', () => {
  let rows: Row[];
  beforeAll(async () => {
    const programs = [...fixturePrograms(), ...racyPrograms(2)].filter(({ name }) => SUBSET.includes(name));
    expect(programs.map((program) => program.name).sort()).toEqual(SUBSET);
    rows = await judgeCases(await programCases('subset', world.registry, programs), {
      engine: await variedEngine(process.env),
      replays: 4,
      controls: 10,
      jobs: 2,
      signal: new AbortController().signal,
    });
  });

  it.each(SUBSET)('%s differs without determinism', (name) => {
    expect(rows.find((row) => row.case.name === name)!.control).toMatchObject({
      differs: true,
      broken: undefined,
    });
  });

  const reason = hasSupervisor() ? '' : ' (skipped: the product has no supervisor yet)';
  it.skipIf(!hasSupervisor()).each(SUBSET)(`%s is as it must be with determinism${reason}`, (name) => {
    const row = rows.find((one) => one.case.name === name)!;
    expect(judgeRow(row).ok, rowText(row)).toBe(true);
  });
});
