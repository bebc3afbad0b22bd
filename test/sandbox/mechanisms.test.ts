import { describe, expect, it } from 'vitest';

import {
  judgeMechanisms,
  lostWith,
  MECHANISM_NAMES,
  type Mechanism,
  mechanismsOf,
  WITHOUT_NAMES,
  withoutOf,
  withoutWhatLacks,
} from '../../src/sandbox/mechanisms.ts';

const lacking = (...names: Mechanism[]): Mechanism[] => MECHANISM_NAMES.filter((one) => !names.includes(one));

describe('mechanisms', () => {
  it('are read from the probe’s list in one order, unknown words apart', () => {
    expect(mechanismsOf('cpuid_rewrite,call_trace,teleport')).toEqual(['call_trace', 'cpuid_rewrite']);
    expect(mechanismsOf()).toEqual([]);
  });

  it('lose nothing while one of the two that answer cpuid is there', () => {
    expect(lostWith(MECHANISM_NAMES)).toEqual([]);
    expect(lostWith(lacking('cpuid_trap'))).toEqual([]);
    expect(lostWith(lacking('cpuid_rewrite'))).toEqual([]);
    expect(judgeMechanisms(lacking('cpuid_trap'), false)).toEqual([]);
  });

  it('name both where neither is there', () => {
    expect(lostWith(lacking('cpuid_trap', 'cpuid_rewrite'))).toEqual([
      'without cpuid_trap (ARCH_SET_CPUID) and cpuid_rewrite (cpuid rewritten in a program’s text): cpuid tells this processor from others',
    ]);
  });

  it('are switched off one by one, and cpuid’s together', () => {
    expect(withoutOf('cpuid')).toEqual(['cpuid_trap', 'cpuid_rewrite']);
    for (const name of MECHANISM_NAMES) expect(withoutOf(name)).toEqual([name]);
    for (const word of ['', 'calls', 'layout', 'constructor']) expect(withoutOf(word)).toBeUndefined();
    expect(WITHOUT_NAMES.every((word) => withoutOf(word))).toBe(true);
  });

  it('that are missing are named to PID 1, rewriting only on request', () => {
    expect(withoutWhatLacks(mechanismsOf('call_trace,cpuid_trap'), [])).toEqual([
      'fixed_layout',
      'clock_trap',
    ]);
    expect(withoutWhatLacks(mechanismsOf('call_trace,fixed_layout,clock_trap'), ['cpuid_rewrite'])).toEqual([
      'cpuid_trap',
      'cpuid_rewrite',
    ]);
  });
});
