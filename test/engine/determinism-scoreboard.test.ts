import { beforeAll, expect, it } from 'vitest';

import { programCases, racyPrograms } from '../determinism/groups.ts';
import {
  type Control,
  controlCases,
  type JudgeOptions,
  type Replays,
  type Row,
  replayCases,
} from '../determinism/judge.ts';
import { fixturePrograms } from '../determinism/programs.ts';
import type { Case } from '../determinism/run.ts';
import { rowText } from '../determinism/table.ts';
import { variedEngine } from '../determinism/varied.ts';
import { judgeRow } from '../determinism/verdict.ts';
import { waysOf } from '../determinism/ways.ts';
import { describeEngine, world } from '../support/world.ts';

/** One or two of each source, and two that race; npm run determinism runs all, 20 times. */
const SUBSET = [
  'addresses',
  'clock-gettime',
  'computing-place',
  'cpuid',
  'fifo',
  'getrandom',
  'mutating-spin',
  'mutex',
  'pids',
  'pipes',
  'pure-spin',
  'racy-001',
  'racy-002',
  'rdtsc',
  'readdir',
  'timerfd-shared',
  'uname',
];

const WAYS = waysOf(world?.mechanisms ?? []);
const OF_WAYS = WAYS.flatMap(({ name: way }) => SUBSET.map((name) => [name, way] as const));

describeEngine('the scoreboard’s subset', () => {
  let cases: Case[];
  let options: JudgeOptions;
  let controls: Control[];
  /** By the way in which cpuid is answered. */
  const replays = new Map<string, Replays[]>();
  const rowOf = (name: string, way: string): Row => {
    const i = cases.findIndex((one) => one.name === name);
    return { case: cases[i]!, control: controls[i]!, replays: replays.get(way)![i] };
  };
  beforeAll(async () => {
    const programs = [...fixturePrograms(), ...racyPrograms(2)].filter(({ name }) => SUBSET.includes(name));
    expect(programs.map((program) => program.name).sort()).toEqual(SUBSET);
    cases = await programCases('subset', world.registry, programs);
    const signal = new AbortController().signal;
    options = { engine: await variedEngine(process.env), replays: 4, controls: 10, jobs: 2, signal };
  });
  // What differs without determinism does so whichever way cpuid is answered: the controls are run once.
  beforeAll(async () => {
    controls = await controlCases(cases, options);
  });
  for (const { name, without } of WAYS)
    beforeAll(async () => {
      replays.set(name, await replayCases(cases, { ...options, without }));
    });

  it.each(SUBSET)('%s differs without determinism', (name) => {
    expect(rowOf(name, WAYS[0]!.name).control).toMatchObject({ differs: true, broken: undefined });
  });

  it.each(OF_WAYS)('%s is as it must be with determinism, %s', (name, way) => {
    const row = rowOf(name, way);
    expect(judgeRow(row).ok, rowText(row)).toBe(true);
  });

  it.skipIf(WAYS.length < 2).each(SUBSET)('%s ends in one state, whichever way cpuid is answered', (name) => {
    expect(new Set(WAYS.map((way) => rowOf(name, way.name).replays!.state)).size).toBe(1);
  });
});
