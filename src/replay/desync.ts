/** Runs two replays that ended differently again, with an event log each, to find where they part. */
import { Fault } from '../base/fault.ts';
import { EventLog } from '../sandbox/event-log.ts';
import { completed, type RawReplay } from '../verdict/decide.ts';
import { comparedLogs, type Desync } from '../verdict/desync.ts';
import { crashKey, type ReplayCrashes, type SignedReplay, signReplays } from '../verdict/same-crash.ts';
import type { RunContext } from './context.ts';
import { replayLogged } from './one.ts';
import type { Prepared } from './prepared.ts';

type SignedReplays = Map<ReplayCrashes, SignedReplay>;

/** How many runs to try: what differs once in twenty replays will hardly differ in the next one. */
const MOST_TRIES = 20;

/** State and crash: what makes two replays differ. */
function endingOf(
  replay: ReplayCrashes & Pick<RawReplay, 'final_state_sha256'>,
  signed: SignedReplays,
): string {
  return `${replay.final_state_sha256} ${crashKey(signed.get(replay)!, 'exact')}`;
}

/** The first of the most frequent state and crash, and the first of any other. */
function pairOf(replays: RawReplay[]): [RawReplay, RawReplay] | undefined {
  const signed = signReplays(replays);
  const groups = Map.groupBy(replays.filter(completed), (replay) => endingOf(replay, signed));
  const [usual, ...others] = [...groups.values()].sort((a, b) => b.length - a.length);
  const other = replays.find((replay) => others.some((group) => group.includes(replay)));
  return usual && other ? [usual[0]!, other] : undefined;
}

async function logged(
  c: RunContext,
  p: Prepared,
  replay: RawReplay,
): Promise<{ log: EventLog; ending: string }> {
  const { log, ...again } = await replayLogged(c, p, replay);
  const { final_state_sha256: state, ended } = again;
  if (!log || !state)
    throw new Fault(
      'supervisor_lost',
      `replay ${replay.index}, run again for its event log, ended with ${ended}`,
    );
  const row = { ...replay, ...again, crash_as: undefined };
  return { log: new EventLog(log), ending: endingOf(row, signReplays([row])) };
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
    const parted = actual.ending !== expected.ending;
    if (!parted && tries < MOST_TRIES) continue;
    return { ...about, tries: parted ? tries : null, ...comparedLogs(expected.log, actual.log) };
  }
}
