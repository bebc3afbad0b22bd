import { describe, expect, it } from 'vitest';

import type { Control, Replays, Row } from './judge.ts';
import { type Expected, fixturePrograms, parseProgram } from './programs.ts';
import { racyProgram } from './racy.ts';
import type { Case } from './run.ts';
import { rowText, totalsText } from './table.ts';
import { variationOf } from './varied.ts';
import { judgeRow } from './verdict.ts';

const CONTROL: Control = { tried: 2, differs: true, ending: 'exit 0', ms: 1, broken: undefined };
const REPLAYS: Replays = {
  identical: 20,
  of: 20,
  ms: 2,
  verdict: 'reproduced',
  reason: 'self_consistent',
  ending: 'exit 0',
  state: null,
  stdout: 'call=refused',
  detail: '',
};
const SPUN = { identical: 0, verdict: 'inconclusive', reason: 'indeterminate_spin', ending: 'timeout' };

function row(expected: Expected, control: Partial<Control>, replays: Partial<Replays> | undefined): Row {
  const image = { repository: 'r', manifest: 'sha256:0', config: 'sha256:0' } as Case['image'];
  return {
    case: { group: 'g', name: 'n', source: '1 s', expected, run: '/bin/n', image, timeoutS: 1 },
    control: { ...CONTROL, ...control },
    replays: replays ? { ...REPLAYS, ...replays } : undefined,
  };
}

describe('a row of the scoreboard', () => {
  const cases: [string, Row, string, boolean][] = [
    ['all identical', row('identical', {}, {}), 'identical', true],
    ['one of twenty differs', row('identical', {}, { identical: 19 }), 'FAILED', false],
    ['identically dead', row('identical', {}, { ending: 'SIGSEGV' }), 'FAILED', false],
    ['no replays', row('identical', {}, { identical: 0, of: 0 }), 'FAILED', false],
    ['cannot tell, unexpectedly', row('identical', {}, SPUN), 'FAILED', false],
    ['a spin that cannot be told', row('inconclusive', {}, SPUN), 'inconclusive', true],
    ['a spin that was claimed to be identical', row('inconclusive', {}, {}), 'FAILED', false],
    [
      'a spin that ended by time-out alone',
      row('inconclusive', {}, { ...SPUN, reason: 'limit_timeout' }),
      'FAILED',
      false,
    ],
    ['refused each time', row('refused', {}, {}), 'identical', true],
    ['given each time', row('refused', {}, { stdout: 'call=given errno 0' }), 'FAILED', false],
    ['either, identical', row('either', {}, {}), 'identical', true],
    ['either, refused', row('either', {}, { ...SPUN, reason: 'setuid_refused' }), 'inconclusive', true],
    ['either, the engine failed', row('either', {}, { ...SPUN, reason: 'engine_failed' }), 'FAILED', false],
    [
      'a control that does not end well',
      row('identical', { broken: 'exit 97' }, {}),
      'CONTROL BROKEN',
      false,
    ],
    ['no supervisor', row('identical', {}, undefined), 'no supervisor', false],
  ];
  it.each(cases)('%s', (_name, one, word, ok) => {
    expect(judgeRow(one)).toMatchObject({ word, ok });
  });

  it('is listed apart when its control does not differ', () => {
    const one = row('identical', { differs: false }, {});
    expect(judgeRow(one)).toMatchObject({ ok: true, apart: true });
    expect(rowText(one)).toMatch(/^n +1 s +same \(2\) +20\/20 +identical/);
    expect(totalsText([one, row('identical', {}, { identical: 1 })])).toBe(
      'g: 2 programs; 0/1 as they must be where the control differs, 1/1 where it does not\n' +
        'deterministic by nature, or not made to differ here: n\n' +
        'not as they must be: n\n',
    );
  });
});

describe('the fixtures', () => {
  it('say on their first line what they are about', () => {
    expect(parseProgram('x', '/* 6 a spin (inconclusive) [dynamic]: why. */\nint x;')).toMatchObject({
      source: 6,
      about: 'a spin',
      expected: 'inconclusive',
      dynamic: true,
    });
    expect(() => parseProgram('x', '/* a spin. */\n')).toThrow('first line');
  });

  it('cover every source', () => {
    const sources = new Set(fixturePrograms().map((program) => program.source));
    expect([...sources]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('include racy ones that follow from their seeds', () => {
    expect(racyProgram(5)).toEqual(racyProgram(5));
    const texts = Array.from({ length: 100 }, (_, i) => racyProgram(i + 1).text);
    const bodies = new Set(texts.map((text) => text.slice(text.indexOf('\n'))));
    expect(bodies.size).toBe(100);
    for (const step of ['in_two_locks', 'by_condition', 'swap_word', 'by_pipe', 'with_child', 'sleep_ns'])
      expect(texts.filter((text) => text.includes(step)).length, step).toBeGreaterThan(10);
  });

  it('are run in containers of which neighbours differ in everything', () => {
    for (let i = 0; i < 40; i++) {
      const [a, b] = [variationOf(i, 2), variationOf(i + 1, 2)];
      for (const key of ['hostname', 'cpuset', 'pids', 'order'] as const) expect(a[key]).not.toBe(b[key]);
    }
  });
});
