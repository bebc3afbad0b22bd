import { describe, expect, it } from 'vitest';

import type { Observed } from '../../src/sandbox/probe.ts';
import { processorOf, processorText } from '../../src/sandbox/processor.ts';

const seen = (more: Partial<Observed>): Observed =>
  ({ cpu_vendor: 'AuthenticAMD', cpu_family: '25', cpu_model: '17', cpu_stepping: '1', ...more }) as Observed;

describe('the processor', () => {
  it('is named by vendor, family and model', () => {
    const found = processorOf(seen({}));
    expect(found).toEqual({ vendor: 'AuthenticAMD', family: 25, model: 17, stepping: 1 });
    expect(processorText(found)).toBe('AMD family 25 model 17');
    expect(processorText(processorOf(seen({ cpu_vendor: 'GenuineIntel' })))).toBe('Intel family 25 model 17');
    expect(processorText(processorOf(seen({ cpu_vendor: 'Shanghai' })))).toBe('Shanghai family 25 model 17');
  });

  const unnamed: [string, Partial<Observed>][] = [
    ['no vendor', { cpu_vendor: '' }],
    ['a family that is no number', { cpu_family: 'unknown' }],
    ['a model beyond all numbers', { cpu_model: '9'.repeat(40) }],
    ['a negative stepping', { cpu_stepping: '-1' }],
  ];
  it.each(unnamed)('is not known with %s', (_what, more) => {
    expect(processorOf(seen(more))).toBeNull();
  });

  it('of another architecture is not known', () => {
    expect(processorOf({ machine: 'aarch64' } as Observed)).toBeNull();
    expect(processorText(null)).toBe('one that nothing names');
  });
});
