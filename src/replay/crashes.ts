/** How many crash sites a record holds: of thousands of replays, each different crash stands in one row at least. */
import { LIMITS } from '../base/limits.ts';
import type { RawReplay } from '../verdict/decide.ts';

/**
 * Crashes that no longer fit refer to the replay whose row has the same bytes. Crashes that differ and do not fit are
 * left out: such a replay has none that could be compared, and matches no other.
 */
export function crashBudget(): (replay: RawReplay) => RawReplay {
  let left: number = LIMITS.recordCrashBytes;
  const written = new Map<string, number>();
  return (replay) => {
    const { crash, other_crashes, crash_as: _, ...rest } = replay;
    if (!crash && !other_crashes) return rest;
    const text = JSON.stringify([crash, other_crashes], null, 2);
    left -= text.length;
    if (left >= 0) {
      if (!written.has(text)) written.set(text, replay.index);
      return replay;
    }
    const same = written.get(text);
    return same === undefined ? rest : { ...rest, crash_as: same };
  };
}
