import { describe, expect, it } from 'vitest';

import type { Digest } from '../../src/base/digest.ts';
import type { Mechanism } from '../../src/sandbox/mechanisms.ts';
import { apart, holdsOnly, machineFacts, tiedTo } from '../../src/verdict/machine.ts';

const EPYC = { vendor: 'AuthenticAMD', family: 25, model: 17, stepping: 1 };
const AMD = 'AMD family 25 model 17';
const whole: Mechanism[] = ['call_trace', 'fixed_layout', 'clock_trap', 'cpuid_trap'];
const bare = whole.slice(0, 3);
const state = { final_state_sha256: `sha256:${'a'.repeat(64)}` as Digest };

describe('what a result is tied to', () => {
  it('is nothing where cpuid is trapped or rewritten, or determinism was off', () => {
    expect(tiedTo({ mechanisms: whole, processor: EPYC })).toBeNull();
    expect(tiedTo({ mechanisms: [...bare, 'cpuid_rewrite'], processor: EPYC })).toBeNull();
    expect(tiedTo({ processor: EPYC })).toBeNull();
    expect(tiedTo(null)).toBeNull();
  });

  it('is the processor where nothing but it answers cpuid', () => {
    expect(tiedTo({ mechanisms: bare, processor: EPYC })).toBe(AMD);
    expect(holdsOnly({ mechanisms: bare, processor: EPYC })).toEqual([`on the same processor: ${AMD}`]);
    // Another stepping is the same kind.
    expect(tiedTo({ mechanisms: bare, processor: { ...EPYC, stepping: 2 } })).toBe(AMD);
  });

  it('is not spoken of in reports of records from before processors were named', () => {
    expect(holdsOnly({ mechanisms: bare })).toEqual([]);
  });
});

describe('two results', () => {
  it.each([
    [null, null, null],
    [AMD, AMD, null],
    [AMD, null, `one holds only on ${AMD}, the other on every processor`],
    [null, AMD, `one holds on every processor, the other only on ${AMD}`],
    [AMD, 'Intel family 6 model 207', `one holds only on ${AMD}, the other only on Intel family 6 model 207`],
    [
      'one that nothing names',
      'one that nothing names',
      'one holds only on one that nothing names, the other only on one that nothing names',
    ],
  ])('tied to %s and %s: %s', (first, second, why) => {
    expect(apart(first, second)).toBe(why);
  });
});

describe('an expected state', () => {
  it('without a word about a processor can be held against every whole machine', () => {
    expect(machineFacts({ mechanisms: whole, processor: EPYC }, state)).toEqual({
      lost: [],
      elsewhere: null,
      crashesSeen: false,
    });
    expect(machineFacts({ mechanisms: whole, processor: null }, state).elsewhere).toBeNull();
  });

  it('cannot be held against a machine that is tied to another, or where it is itself', () => {
    const tied = { ...state, processor: AMD };
    expect(machineFacts({ mechanisms: bare, processor: EPYC }, tied).elsewhere).toBeNull();
    expect(machineFacts({ mechanisms: bare, processor: { ...EPYC, model: 1 } }, tied).elsewhere).toContain(
      `one holds only on ${AMD}, the other only on AMD family 25 model 1`,
    );
    expect(machineFacts({ mechanisms: whole, processor: EPYC }, tied).elsewhere).toContain(
      'on every processor',
    );
    const { lost, elsewhere } = machineFacts({ mechanisms: bare, processor: EPYC }, state);
    expect(elsewhere).toContain(AMD);
    expect(lost.join()).toContain('cpuid_rewrite');
  });

  it('is compared as ever where determinism is off, and in records from before processors were named', () => {
    expect(machineFacts({ processor: EPYC }, { ...state, processor: AMD }).elsewhere).toBeNull();
    expect(machineFacts({ mechanisms: bare }, state).elsewhere).toBeNull();
    expect(machineFacts({ mechanisms: bare, processor: EPYC }, undefined).elsewhere).toBeNull();
  });
});
