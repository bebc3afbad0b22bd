/** How many crash sites a record holds: of thousands of replays, the first ones stand for all. */
import { LIMITS } from '../base/limits.ts';
import type { RawReplay } from '../verdict/decide.ts';

/** Takes the crash from each replay that no longer fits, or the record could not be read back. */
export function crashBudget(): (replay: RawReplay) => RawReplay {
  let left: number = LIMITS.recordCrashBytes;
  return ({ crash, ...rest }) => {
    left -= crash ? JSON.stringify(crash, null, 2).length : 0;
    return crash && left >= 0 ? { ...rest, crash } : rest;
  };
}
