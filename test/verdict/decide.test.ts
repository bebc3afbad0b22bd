import { describe, expect, it } from 'vitest';

import type { Digest } from '../../src/base/digest.ts';
import { claimFits } from '../../src/verdict/claims.ts';
import { asOlderReleases, decide, type Facts, type RawReplay } from '../../src/verdict/decide.ts';

const state = (letter: string): Digest => `sha256:${letter.repeat(64)}` as Digest;
const ran = (letter: string, more: Partial<RawReplay> = {}): RawReplay => ({
  index: 1,
  seed: 1,
  ended: 'exit',
  final_state_sha256: state(letter),
  exit_code: 0,
  signal: null,
  duration_ms: 1,
  attempts: 1,
  ...more,
});
const broken: RawReplay = {
  ...ran('a'),
  ended: null,
  final_state_sha256: null,
  exit_code: null,
  error: { code: 'engine_failed', message: 'x' },
};

function verdict(raw: RawReplay[], more: Partial<Facts> = {}) {
  const gates = { replay_ratio: 0.95, forensic: false, image_check: 'engine' as const };
  return decide(raw, {
    requested: raw.length,
    gates,
    expect: undefined,
    imageCheck: 'engine',
    degraded: [],
    claims: [],
    lost: [],
    elsewhere: null,
    crashesSeen: true,
    ...more,
  });
}

const times = (n: number, letter: string): RawReplay[] => Array.from({ length: n }, () => ran(letter));

describe('a verdict', () => {
  const table: [string, RawReplay[], Partial<Facts>, object][] = [
    [
      'all agree',
      times(3, 'a'),
      {},
      { verdict: 'reproduced', reason: 'self_consistent', ratio: 1, flaky: false },
    ],
    [
      'all as expected',
      times(3, 'a'),
      { expect: { final_state_sha256: state('a') } },
      { verdict: 'reproduced', reason: 'matches_expectation' },
    ],
    [
      'all agree on something else',
      times(3, 'b'),
      { expect: { final_state_sha256: state('a') } },
      { verdict: 'diverged', reason: 'expectation_not_met', ratio: 0, flaky: false },
    ],
    [
      'all agree on another exit code than is expected',
      times(3, 'a'),
      { expect: { exit_code: 7 } },
      { verdict: 'diverged', reason: 'expectation_not_met', ratio: 0, flaky: false },
    ],
    [
      'all agree on another signal than is expected',
      times(3, 'a'),
      { expect: { signal: 'SIGSEGV' } },
      { verdict: 'diverged', reason: 'expectation_not_met', ratio: 0, flaky: false },
    ],
    [
      'none ends as expected, and they differ among themselves',
      [...times(2, 'b'), ran('c')],
      { expect: { final_state_sha256: state('a') } },
      { verdict: 'diverged', reason: 'states_differ', ratio: 0, flaky: false },
    ],
    ['19 of 20', [...times(19, 'a'), ran('b')], {}, { verdict: 'reproduced', ratio: 0.95, flaky: true }],
    [
      '18 of 20',
      [...times(18, 'a'), ...times(2, 'b')],
      {},
      { verdict: 'diverged', reason: 'states_differ', flaky: true },
    ],
    [
      'a tie',
      [ran('a'), ran('b')],
      { gates: { replay_ratio: 0.5, forensic: false, image_check: 'engine' } },
      { verdict: 'diverged', reason: 'tie' },
    ],
    [
      'an infrastructure failure',
      [...times(19, 'a'), broken],
      {},
      { verdict: 'inconclusive', reason: 'engine_failed' },
    ],
    ['a failure beside a divergence', [ran('a'), ran('b'), broken], {}, { verdict: 'inconclusive' }],
    [
      'a time-out',
      [ran('a'), ran('a', { ended: 'timeout', final_state_sha256: null })],
      {},
      { verdict: 'inconclusive', reason: 'limit_timeout' },
    ],
    [
      'a missing program, 20 times',
      Array.from({ length: 20 }, () => ran('a', { ended: 'exec_failed', final_state_sha256: null })),
      {},
      { verdict: 'inconclusive', reason: 'exec_failed', ratio: 0 },
    ],
    [
      'fewer replays than requested',
      times(3, 'a'),
      { requested: 20 },
      { verdict: 'inconclusive', reason: 'not_all_replayed', ratio: 0.15 },
    ],
    [
      'another state than was expected, of another kind of machine',
      times(3, 'b'),
      { expect: { final_state_sha256: state('a') }, elsewhere: 'x' },
      { verdict: 'inconclusive', reason: 'other_processor', ratio: 0 },
    ],
    [
      'the very state that was expected, of another kind of machine',
      times(3, 'a'),
      { expect: { final_state_sha256: state('a') }, elsewhere: 'x' },
      { verdict: 'reproduced', reason: 'matches_expectation' },
    ],
    [
      'states that differ among each other, wherever the expected one is of',
      [ran('b'), ran('c')],
      { expect: { final_state_sha256: state('a') }, elsewhere: 'x' },
      { verdict: 'diverged', reason: 'states_differ' },
    ],
    ['no replays at all', [], { requested: 20 }, { verdict: 'inconclusive' }],
    ['the wrong ending', times(2, 'a'), { expect: { signal: 'SIGSEGV' } }, { verdict: 'diverged' }],
  ];
  it.each(table)('%s', (_name, raw, facts, expected) => {
    expect(verdict(raw, facts)).toMatchObject(expected);
  });

  const forensic = { replay_ratio: 1, forensic: true, image_check: 'content' as const };
  const whole: Partial<Facts> = {
    gates: forensic,
    imageCheck: 'content',
    expect: { final_state_sha256: state('a') },
  };
  const claim = { name: 'libc_version' as const, claimed: 'glibc 2.36', observed: 'musl', match: false };
  const failing: [string, RawReplay[], Partial<Facts>][] = [
    ['no expectation', times(2, 'a'), { ...whole, expect: undefined }],
    ['an image checked by the engine only', times(2, 'a'), { ...whole, imageCheck: 'engine' }],
    ['something degraded', times(2, 'a'), { ...whole, degraded: ['swap is not limited'] }],
    ['a mechanism missing that the record keeps to itself', times(2, 'a'), { ...whole, lost: ['without x'] }],
    ['a claim that does not hold', times(2, 'a'), { ...whole, claims: [claim] }],
    ['a state that differs', [...times(30, 'a'), ran('b')], whole],
  ];
  it.each(failing)('fails the forensic gate with %s', (_name, raw, facts) => {
    expect(verdict(raw, facts).gates.find((gate) => gate.name === 'forensic')!.pass).toBe(false);
  });

  it.each<[string, RawReplay[], string]>([
    ['states differ', [...times(2, 'a'), ran('b')], 'states differ'],
    ['all agree on another state', times(2, 'b'), 'the replays are not as expected'],
  ])('the forensic gate says that %s', (_name, raw, value) => {
    const decision = verdict(raw, whole);
    expect(decision.gates.find(({ name }) => name === 'forensic')!.value).toBe(value);
    // Older releases had one word for both.
    expect(asOlderReleases(decision).gates.find(({ name }) => name === 'forensic')!.value).toBe(
      'states differ',
    );
  });

  it('has a gate of mechanisms where the policy asks for all by name', () => {
    const gates = { replay_ratio: 0.95, forensic: false, image_check: 'engine' as const };
    const gate = (more: Partial<Facts>) =>
      verdict(times(2, 'a'), more).gates.find(({ name }) => name === 'mechanisms');
    expect(gate({ gates: { ...gates, mechanisms: 'all' } })).toMatchObject({ value: 'all', pass: true });
    expect(gate({ gates: { ...gates, mechanisms: 'all' }, lost: ['without x'] })).toMatchObject({
      ...{ threshold: 'all', value: 'without x', pass: false },
    });
    expect(gate({ gates: { ...gates, mechanisms: 'any' }, lost: ['without x'] })).toBeUndefined();
    expect(gate({ gates, lost: ['without x'] })).toBeUndefined();
  });

  it('passes the forensic gate when everything holds', () => {
    expect(verdict(times(2, 'a'), whole).gates.every((gate) => gate.pass)).toBe(true);
  });
});

it.each([
  ['5.x', '5.10.3', true],
  ['5.x', '6.1.0', false],
  ['5.1', '5.10.3', false],
  ['5.10', '5.10.3', true],
  ['glibc 2.36', 'glibc 2.36', true],
  ['glibc 2.3', 'glibc 2.36', false],
])('a claim of %s beside %s: %s', (claimed, observed, fits) => {
  expect(claimFits(claimed, observed)).toBe(fits);
});
