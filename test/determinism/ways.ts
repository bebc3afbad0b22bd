/** The ways in which this machine can answer cpuid: each is a machine of its own kind, and all must say the same. */
import type { Mechanism } from '../../src/sandbox/mechanisms.ts';

export interface Way {
  name: string;
  /** What is done without, so that this way is the one taken. */
  without: Mechanism[];
}

/** How cpuid is answered with these mechanisms. */
export function wayOf(mechanisms: readonly Mechanism[]): string {
  if (mechanisms.includes('cpuid_trap')) return 'cpuid trapped';
  return mechanisms.includes('cpuid_rewrite') ? 'cpuid rewritten' : 'cpuid left to the processor';
}

/** First the way of this machine as it is, then by rewriting, where it does not do that anyway. */
export function waysOf(mechanisms: readonly Mechanism[]): Way[] {
  const both = mechanisms.includes('cpuid_trap') && mechanisms.includes('cpuid_rewrite');
  const usual: Way = { name: wayOf(mechanisms), without: [] };
  return both ? [usual, { name: 'cpuid rewritten', without: ['cpuid_trap'] }] : [usual];
}
