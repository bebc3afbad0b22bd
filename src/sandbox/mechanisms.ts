/** What full determinism needs from a host: the probe looks for it, the record lists it, and its absence is always reported. */
import { Fault } from '../base/fault.ts';
import { present } from '../base/list.ts';
import { keysOf } from '../base/table.ts';

/** By the names of harness/supervisor/ptrace/mechanisms.c: what each is made of. */
const MECHANISMS = {
  call_trace: 'ptrace and seccomp RET_TRACE',
  fixed_layout: 'personality',
  clock_trap: 'PR_SET_TSC',
  cpuid_trap: 'ARCH_SET_CPUID',
  cpuid_rewrite: 'cpuid rewritten in a program’s text',
} as const;

export type Mechanism = keyof typeof MECHANISMS;

export const MECHANISM_NAMES: Mechanism[] = keysOf(MECHANISMS);

/** What the seed must decide, the mechanisms that ensure it, of which one is enough, and what is lost without all of them. */
interface Need {
  name: string;
  by: readonly Mechanism[];
  lost: string;
  /** The only circumstances in which a result then holds, for this processor. */
  only: (processor: string) => string;
}

const NEEDS: readonly Need[] = [
  {
    name: 'calls',
    by: ['call_trace'],
    lost: 'nothing is decided by the seed',
    only: () => 'for nothing',
  },
  {
    name: 'layout',
    by: ['fixed_layout'],
    lost: 'addresses are random',
    only: () => 'for programs to which addresses make no difference',
  },
  {
    name: 'clock',
    by: ['clock_trap'],
    lost: 'rdtsc tells real time',
    only: () => 'for programs that do not read rdtsc',
  },
  {
    name: 'cpuid',
    by: ['cpuid_trap', 'cpuid_rewrite'],
    lost: 'cpuid tells this processor and core from others',
    only: (processor) => `on the same processor: ${processor}`,
  },
];

/** What is to be decided by the seed, and what may be missing for it. */
export interface DeterminismChoice {
  /** Overrides what manifests ask for. */
  mode?: 'full' | 'off';
  /** Behaves as on a host without these. */
  without: Mechanism[];
  /** One for each replay, in place of the manifest’s; the seed then chooses turns at random. */
  seeds?: number[];
}

/** The words that --without takes: a mechanism, or `cpuid` for both that answer it. */
export const WITHOUT_NAMES: readonly string[] = [...MECHANISM_NAMES, 'cpuid'];

/** The mechanisms that one of those words turns off; undefined for any other. */
export function withoutOf(word: string): readonly Mechanism[] | undefined {
  if (word === 'cpuid') return present(NEEDS.find(({ name }) => name === word)).by;
  const named = MECHANISM_NAMES.filter((name) => name === word);
  return named.length > 0 ? named : undefined;
}

/** The probe's list; a harness that says nothing has none. */
export function mechanismsOf(list = ''): Mechanism[] {
  const names = list.split(',');
  return MECHANISM_NAMES.filter((name) => names.includes(name));
}

/**
 * The mechanisms that PID 1 is told to do without; it gives up where anything else is missing. Rewriting is
 * named only on request: a harness from before it, as bundles bring one, does not know the word.
 */
export function withoutWhatLacks(found: readonly Mechanism[], asked: readonly Mechanism[]): Mechanism[] {
  return MECHANISM_NAMES.filter((name) =>
    name === 'cpuid_rewrite' ? asked.includes(name) : !found.includes(name),
  );
}

function unmet(found: readonly Mechanism[]): Need[] {
  return NEEDS.filter(({ by }) => !by.some((name) => found.includes(name)));
}

/** What the seed does not decide with these, by name. */
export function lostNeeds(found: readonly Mechanism[]): string[] {
  return unmet(found).map(({ name }) => name);
}

/** The same from a record's sentences, whichever release wrote them: each names a mechanism that was missing. */
export function saidLost(degraded: readonly string[]): string[] {
  const said = degraded.filter((one) => one.startsWith('determinism without '));
  return NEEDS.filter(({ by }) => said.some((one) => by.some((name) => one.includes(name)))).map(
    ({ name }) => name,
  );
}

/** What no mechanism that was found ensures, in sentences. */
export function lostWith(found: readonly Mechanism[]): string[] {
  return unmet(found).map(
    ({ by, lost }) => `without ${by.map((name) => `${name} (${MECHANISMS[name]})`).join(' and ')}: ${lost}`,
  );
}

/** The only circumstances in which results with these hold; empty where nothing is lost and they hold everywhere. */
export function onlyWith(found: readonly Mechanism[], processor: string): string[] {
  return unmet(found).map(({ only }) => only(processor));
}

/** True where nothing but the processor itself answers cpuid. */
export function leavesCpuid(found: readonly Mechanism[]): boolean {
  return unmet(found).some(({ name }) => name === 'cpuid');
}

/** What is lost, in sentences for the record; throws a Fault where too little is left to run with, or where nothing may be lost. */
export function judgeMechanisms(found: readonly Mechanism[], wanted: 'all' | 'any'): string[] {
  const said = lostWith(found).map((sentence) => `determinism ${sentence}`);
  if (!found.includes('call_trace') || (said.length > 0 && wanted === 'all'))
    throw new Fault('determinism_degraded', said.join('; '));
  return said;
}
