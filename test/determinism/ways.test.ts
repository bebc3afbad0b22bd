import { expect, it } from 'vitest';

import type { Mechanism } from '../../src/sandbox/mechanisms.ts';
import { waysOf } from './ways.ts';

const bare: Mechanism[] = ['call_trace', 'fixed_layout', 'clock_trap'];

it.each([
  [
    ['cpuid_trap', 'cpuid_rewrite'],
    ['cpuid trapped', 'cpuid rewritten'],
  ],
  [['cpuid_trap'], ['cpuid trapped']],
  [['cpuid_rewrite'], ['cpuid rewritten']],
  [[], ['cpuid left to the processor']],
] as [Mechanism[], string[]][])('with %j cpuid is tried in these ways: %j', (more, names) => {
  const ways = waysOf([...bare, ...more]);
  expect(ways.map(({ name }) => name)).toEqual(names);
  expect(ways.map(({ without }) => without.length)).toEqual(names.map((_, i) => i));
});
