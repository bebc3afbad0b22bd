/** What a result depends on beside image, seed and manifest, and whether two results may be compared. */
import type { Manifest } from '../manifest/definition.ts';
import { leavesCpuid, lostWith, onlyWith } from '../sandbox/mechanisms.ts';
import { processorText, UNKNOWN_PROCESSOR } from '../sandbox/processor.ts';
import type { ReplayRecord } from './record.ts';

type Environment = Pick<
  NonNullable<ReplayRecord['environment']>,
  'mechanisms' | 'processor' | 'determinism'
> | null;

/**
 * The only circumstances in which it holds, one by one; empty where it holds on every machine, where determinism was off, and for
 * records from before processors were named.
 */
export function holdsOnly(environment: Environment): string[] {
  if (!environment?.mechanisms || environment.processor === undefined) return [];
  return onlyWith(environment.mechanisms, processorText(environment.processor ?? null));
}

/** The only processor on which it holds; null where the seed decided what cpuid returns, or determinism was off. */
export function tiedTo(environment: Environment): string | null {
  if (!environment?.mechanisms || !leavesCpuid(environment.mechanisms)) return null;
  return processorText(environment.processor ?? null);
}

/** Why two results cannot be compared, by what each depends on; null where they can. */
export function apart(first: string | null, second: string | null): string | null {
  if (first === second && first !== UNKNOWN_PROCESSOR) return null;
  const on = (tied: string | null): string => (tied === null ? 'on every processor' : `only on ${tied}`);
  return `one holds ${on(first)}, the other ${on(second)}`;
}

/** What a decision takes from the machine that replayed. */
export interface MachineFacts {
  /** The parts of full determinism that no mechanism ensured. */
  lost: string[];
  /** Why the expected state cannot be compared with the replays here. */
  elsewhere: string | null;
  /** Whether PID 1 looked for crashes: it sees them only where it decides everything. */
  crashesSeen: boolean;
}

/** The same facts from a fresh run and from its record; records from before processors were named were compared with everything. */
export function machineFacts(environment: Environment, expect: Manifest['expect']): MachineFacts {
  const mechanisms = environment?.mechanisms;
  const compared = mechanisms && environment.processor !== undefined && expect?.final_state_sha256;
  const why = compared ? apart(expect.processor ?? null, tiedTo(environment)) : null;
  return {
    lost: mechanisms ? lostWith(mechanisms) : [],
    crashesSeen: environment?.determinism === 'full',
    elsewhere: why && `of the expected state and what was replayed here, ${why}`,
  };
}
