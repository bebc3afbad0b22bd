/** Crashes in a verdict: states that are all the same do not make one crash of two. */
import { describe, expect, it } from 'vitest';

import type { Digest } from '../../src/base/digest.ts';
import type { ExpectedCrash } from '../../src/manifest/crash-signature.ts';
import type { SameCrash } from '../../src/policy/shape.ts';
import type { Crash } from '../../src/sandbox/crash.ts';
import { type Decision, decide, type RawReplay } from '../../src/verdict/decide.ts';
import { crashDifference, expectationOf, programCrashes, signReplays } from '../../src/verdict/same-crash.ts';
import { crashAt, inModule, sentAt } from '../support/crash-sites.ts';

const APP = '/usr/bin/app';
const main = inModule(APP, '0x20', 'main');
const here = crashAt([inModule(APP, '0x40', 'parse'), main]);
const there = crashAt([inModule(APP, '0x60', 'print'), main]);
const rebuilt = crashAt([{ ...inModule(APP, '0x44', 'parse'), build_id: 'bb22' }, main]);
const cut: Crash = { ...here, walk_ended: 'not_code' };
const nowhere: Crash = { ...sentAt([inModule('/lib/libc.so.6', '0x1', 'abort')]), walk_ended: 'not_code' };
const worker = { pid: 21, parent: 20, program: '/opt/worker' };
const ofWorker = { ...here, process: worker };

let index = 0;
function crashed(more: Partial<RawReplay>): RawReplay {
  return {
    index: ++index,
    seed: 1,
    ended: 'signal',
    final_state_sha256: `sha256:${'a'.repeat(64)}` as Digest,
    exit_code: null,
    signal: 'SIGSEGV',
    duration_ms: 1,
    attempts: 1,
    ...more,
  };
}

const at = (crash: Crash): RawReplay => crashed({ crash, signal: crash.signal });
const child = (...crashes: Crash[]): RawReplay =>
  crashed({ ended: 'exit', exit_code: 0, signal: null, other_crashes: { crashes, left_out: 0 } });
const well = (): RawReplay => crashed({ ended: 'exit', exit_code: 0, signal: null });
const times = (count: number, make: () => RawReplay): RawReplay[] => Array.from({ length: count }, make);

function expectationFrom(replay: RawReplay): ExpectedCrash {
  return expectationOf([...signReplays([replay]).values()][0]!.crashes[0]!);
}

interface Asked {
  expected?: ExpectedCrash;
  mode?: SameCrash;
  crashesSeen?: boolean;
}

function verdict(replays: RawReplay[], { expected, mode, crashesSeen = true }: Asked = {}): Decision {
  return decide(replays, {
    requested: replays.length,
    gates: {
      replay_ratio: 0.95,
      forensic: false,
      image_check: 'engine',
      ...(mode ? { same_crash: mode } : {}),
    },
    expect: expected && { crash: expected },
    imageCheck: 'engine',
    degraded: [],
    claims: [],
    lost: [],
    elsewhere: null,
    crashesSeen,
  });
}

const REPRODUCED = { verdict: 'reproduced' };
const ELSEWHERE = { verdict: 'diverged', reason: 'crash_site' };

describe('without an expectation', () => {
  it.each<[string, RawReplay[], Asked, object]>([
    ['one crash', times(20, () => at(here)), {}, REPRODUCED],
    [
      'two sites, half and half',
      [...times(10, () => at(here)), ...times(10, () => at(there))],
      {},
      ELSEWHERE,
    ],
    ['one of twenty elsewhere', [...times(19, () => at(here)), at(there)], {}, ELSEWHERE],
    ['a cut walk beside a whole one', [...times(19, () => at(here)), at(cut)], {}, ELSEWHERE],
    ['two sites, where a policy does not ask', [at(here), at(there)], { mode: 'off' }, REPRODUCED],
    ['two builds, by functions', [at(here), at(rebuilt)], { mode: 'function' }, REPRODUCED],
    ['two builds', [at(here), at(rebuilt)], {}, ELSEWHERE],
    ['one of twenty well, which the ratio allows', [...times(19, () => at(here)), well()], {}, REPRODUCED],
    ['a child’s crash', times(3, () => child(ofWorker)), {}, REPRODUCED],
    ['children of two kinds', [child(ofWorker), child({ ...there, process: worker })], {}, ELSEWHERE],
    ['children in another order', [child(ofWorker, there), child(there, ofWorker)], {}, ELSEWHERE],
    ['crashes that nobody looked for', times(3, () => crashed({})), { crashesSeen: false }, REPRODUCED],
  ])('%s', (_name, replays, asked, wanted) => {
    const decision = verdict(replays, asked);
    expect(decision).toMatchObject(wanted);
    expect(decision.gates.map(({ name }) => name)).not.toContain('same_crash');
  });
});

describe('with an expected crash', () => {
  const expected = expectationFrom(at(here));
  const { signature: _signature, ...kind } = expected;
  it.each<[string, RawReplay[], Asked, object, boolean]>([
    ['met', times(20, () => at(here)), {}, REPRODUCED, true],
    ['another program’s', times(20, () => at(there)), {}, ELSEWHERE, false],
    ['another build’s', [at(rebuilt)], {}, ELSEWHERE, false],
    ['another build’s, by functions', [at(rebuilt)], { mode: 'function' }, REPRODUCED, true],
    ['another function’s, by functions', [at(there)], { mode: 'function' }, ELSEWHERE, false],
    ['one of twenty elsewhere', [...times(19, () => at(here)), at(there)], {}, ELSEWHERE, false],
    ['as far as it was walked', [at(cut)], {}, ELSEWHERE, false],
    ['none at all', [well()], {}, ELSEWHERE, false],
    ['of kind alone', [at(there)], { expected: kind }, REPRODUCED, true],
    ['of another kind', [at({ ...here, code: 2 })], { expected: kind }, ELSEWHERE, false],
    [
      'that nobody looked for',
      times(3, () => crashed({})),
      { crashesSeen: false },
      { verdict: 'inconclusive', reason: 'crash_unseen' },
      false,
    ],
    [
      'of a worker',
      [child(there, ofWorker)],
      { expected: expectationFrom(child(ofWorker)) },
      REPRODUCED,
      true,
    ],
    [
      'of a worker, in the program',
      [at(here)],
      { expected: expectationFrom(child(ofWorker)) },
      ELSEWHERE,
      false,
    ],
    ['of the program, in a worker', [child(ofWorker)], {}, ELSEWHERE, false],
  ])('%s', (_name, replays, asked, wanted, pass) => {
    const decision = verdict(replays, { expected, ...asked });
    expect(decision).toMatchObject(wanted);
    expect(decision.gates.find(({ name }) => name === 'same_crash')?.pass).toBe(pass);
  });

  it('says which crashes there were', () => {
    const { gates } = verdict([at(here), at(there), well(), at(cut)], { expected });
    const { value } = gates.find(({ name }) => name === 'same_crash')!;
    expect(value).toMatch(
      /^v1:[0-9a-f]{12} × 1, v1:[0-9a-f]{12} × 1, no crash × 1, v1:[0-9a-f]{12} as far as known \(its walk was cut\) × 1$/,
    );
  });

  it('is not looked at where a policy does not ask', () => {
    const { gates, ...decision } = verdict([at(there)], { expected, mode: 'off' });
    expect(decision).toMatchObject(REPRODUCED);
    expect(gates.map(({ name }) => name)).not.toContain('same_crash');
  });

  it('has no signature where nothing tells its stack from others', () => {
    const { signature, ...rest } = expectationFrom(at(nowhere));
    expect(signature).toBeUndefined();
    const { gates } = verdict([at(nowhere)], { expected: rest });
    expect(gates.find(({ name }) => name === 'same_crash')).toMatchObject({
      threshold: 'SIGABRT, code -6',
      pass: true,
    });
  });
});

it('a row that has its crash in another one is compared by that', () => {
  const first = at(here);
  const same = crashed({ crash_as: first.index });
  expect(verdict([first, same])).toMatchObject(REPRODUCED);
  const { replays } = verdict([first, same]);
  expect(replays[1]!.crash_signatures).toEqual(replays[0]!.crash_signatures);
  expect(programCrashes([first, same])).toEqual([here, here]);
  const lost = crashed({ crash_as: 9999 });
  expect(programCrashes([first, lost])).toEqual([here, undefined]);
  expect(verdict([at(here), lost], { expected: expectationFrom(first) })).toMatchObject(ELSEWHERE);
});

it('the first difference is named: kind, frame, or where a walk was cut', () => {
  const expected = expectationFrom(at(here));
  const of = (crash: Crash): { expected: string; actual: string } =>
    crashDifference(expected, [...signReplays([at(crash)]).values()][0]!.crashes[0]);
  expect(of({ ...here, code: 2 })).toEqual({
    expected: 'SIGSEGV, code 1, fault at null',
    actual: 'SIGSEGV, code 2, fault at null',
  });
  expect(of(there)).toEqual({
    expected: 'frame 1: app@elf:aa11+0x40',
    actual: 'frame 1: app@elf:aa11+0x60',
  });
  expect(of(crashAt([...here.frames, main]))).toEqual({
    expected: 'frame 3: the end, behind 2 frames',
    actual: 'frame 3: app@elf:aa11+0x20',
  });
  expect(of(cut)).toEqual({
    expected: 'the end, behind 2 frames',
    actual: 'unknown behind 2 frames, where its walk was cut',
  });
  expect(crashDifference(expected, undefined).actual).toBe('no crash');
});
