/** Runs two replays that ended differently again, with an event log each, to find where they part. */
import type { Digest } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { EventLog } from '../sandbox/event-log.ts';
import { completed, type RawReplay } from '../verdict/decide.ts';
import { comparedLogs, type Desync } from '../verdict/desync.ts';
import type { RunContext } from './context.ts';
import { replayLogged } from './one.ts';
import type { Prepared } from './prepare.ts';

/** What differs once in twenty replays will hardly differ in the next. */
const MOST_TRIES = 20;

/** The first of the most frequent state, and the first of any other. */
function pairOf(replays: RawReplay[]): [RawReplay, RawReplay] | undefined {
  const groups = Map.groupBy(replays.filter(completed), (replay) => replay.final_state_sha256!);
  const [usual] = [...groups.values()].sort((a, b) => b.length - a.length);
  const other = replays.find(
    (replay) => completed(replay) && replay.final_state_sha256 !== usual![0]!.final_state_sha256,
  );
  return usual && other ? [usual[0]!, other] : undefined;
}

async function logged(
  c: RunContext,
  p: Prepared,
  replay: RawReplay,
): Promise<{ log: EventLog; state: Digest }> {
  const { log, final_state_sha256: state, ended } = await replayLogged(c, p, replay);
  if (!log || !state)
    throw new Fault(
      'supervisor_lost',
      `replay ${replay.index}, run again for its event log, ended with ${ended}`,
    );
  return { log: new EventLog(log), state };
}

/** null where all replays that completed agree. */
export async function findDesync(c: RunContext, p: Prepared, replays: RawReplay[]): Promise<Desync | null> {
  const pair = pairOf(replays);
  if (!pair) return null;
  const [usual, other] = pair;
  const expected = await logged(c, p, usual);
  const about = { replays: [usual.index, other.index] as [number, number] };
  for (let tries = 1; ; tries++) {
    const actual = await logged(c, p, other);
    const parted = actual.state !== expected.state;
    if (!parted && tries < MOST_TRIES) continue;
    return { ...about, tries: parted ? tries : null, ...comparedLogs(expected.log, actual.log) };
  }
}
