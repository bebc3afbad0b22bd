/** What full determinism rests on in a host: looked for by the probe, listed in the record, never missed in silence. */
import { Fault } from '../base/fault.ts';

/** By the names of harness/supervisor/mechanisms.c: what each is for, and what a program sees without it. */
export const MECHANISMS = {
  call_trace: { by: 'ptrace and seccomp RET_TRACE', lost: 'nothing is decided by the seed' },
  fixed_layout: { by: 'personality', lost: 'addresses are random' },
  clock_trap: { by: 'PR_SET_TSC', lost: 'rdtsc tells real time' },
  cpuid_trap: { by: 'ARCH_SET_CPUID', lost: 'cpuid tells this processor from others' },
} as const;

export type Mechanism = keyof typeof MECHANISMS;

export const MECHANISM_NAMES = Object.keys(MECHANISMS) as Mechanism[];

/** What is to be decided by the seed, and what may be missing for it. */
export interface DeterminismChoice {
  /** Overrides what manifests ask for. */
  mode?: 'full' | 'off';
  /** Replays also where a mechanism is missing; the record says so, and forensic policies refuse it. */
  allowDegraded: boolean;
  /** Behaves as on a host without these. */
  without: Mechanism[];
  /** One for each replay, in the place of the manifest’s; turns are then by chance of the seed. */
  seeds?: number[];
}

/** The probe's list; a harness that says nothing has none. */
export function mechanismsOf(list = ''): Mechanism[] {
  const names = list.split(',');
  return MECHANISM_NAMES.filter((name) => names.includes(name));
}

/** Those that a host lacks. */
export function missingOf(found: readonly Mechanism[]): Mechanism[] {
  return MECHANISM_NAMES.filter((name) => !found.includes(name));
}

/** What is missing, in sentences for the record; throws a Fault unless that was allowed and anything is left to run with. */
export function judgeMechanisms(found: Mechanism[], allowDegraded: boolean): string[] {
  const missing = missingOf(found);
  const said = missing.map(
    (name) => `determinism without ${name} (${MECHANISMS[name].by}): ${MECHANISMS[name].lost}`,
  );
  if (missing.includes('call_trace') || (missing.length > 0 && !allowDegraded))
    throw new Fault('determinism_degraded', said.join('; '));
  return said;
}
