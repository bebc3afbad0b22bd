import { describe, expect, it } from 'vitest';

import {
  judgeMechanisms,
  leavesCpuid,
  lostWith,
  MECHANISM_NAMES,
  type Mechanism,
  mechanismsOf,
  onlyWith,
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
    expect(judgeMechanisms(lacking('cpuid_trap'), 'all')).toEqual([]);
    expect(onlyWith(lacking('cpuid_trap'), 'AMD family 25 model 17')).toEqual([]);
    expect(leavesCpuid(lacking('cpuid_trap'))).toBe(false);
  });

  it('name both where neither is there', () => {
    expect(lostWith(lacking('cpuid_trap', 'cpuid_rewrite'))).toEqual([
      'without cpuid_trap (ARCH_SET_CPUID) and cpuid_rewrite (cpuid rewritten in a program’s text): cpuid tells this processor and core from others',
    ]);
  });

  it('that are missing narrow what a result holds for, thing by thing', () => {
    const only = (...names: Mechanism[]): string[] => onlyWith(lacking(...names), 'AMD family 25 model 17');
    expect(only('cpuid_trap', 'cpuid_rewrite')).toEqual(['on the same processor: AMD family 25 model 17']);
    expect(only('clock_trap', 'fixed_layout')).toEqual([
      'for programs to which addresses make no difference',
      'for programs that do not read rdtsc',
    ]);
    expect(leavesCpuid(lacking('cpuid_trap', 'cpuid_rewrite'))).toBe(true);
    expect(leavesCpuid(lacking('clock_trap'))).toBe(false);
  });

  it('that are missing are refused where all are wanted, and call_trace always', () => {
    const without = lacking('clock_trap');
    expect(judgeMechanisms(without, 'any')).toEqual([
      'determinism without clock_trap (PR_SET_TSC): rdtsc tells real time',
    ]);
    expect(() => judgeMechanisms(without, 'all')).toThrow('rdtsc tells real time');
    expect(() => judgeMechanisms(lacking('call_trace'), 'any')).toThrow('nothing is decided by the seed');
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
