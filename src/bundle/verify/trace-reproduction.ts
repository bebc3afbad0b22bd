/** Whether a record's replays had the stated result: as far as addresses show, without symbols. */
import { itemAt, present } from '../../base/list.ts';
import { type Comparison, comparable, compareStacks, type Stack } from '../../join/compare.ts';
import type { JoinReproduction } from '../../join/document.ts';
import { reproductionObstacle } from '../../join/reproduction.ts';
import { fromCrash } from '../../trace/formats/replay.ts';
import { frameFacts, walkFacts } from '../../trace/model/frame-facts.ts';
import type { Trace } from '../../trace/model/trace.ts';
import type { ReplayRecord } from '../../verdict/record.ts';
import { programCrashes } from '../../verdict/same-crash.ts';

/** Pairs of frames that are compared, of all different crashes of one record. */
const MOST_PAIRS = 20_000_000;

/** Frames without anything that only symbols could tell; addresses in one spelling. */
function bare(trace: Trace): Stack {
  const frames = frameFacts(trace).map((facts) => ({
    ...facts,
    rel_addr: facts.rel_addr?.replace(/^0x0+(?=.)/, '0x') ?? null,
    ...{ places: [], degraded: false, status: null, bundle: null, artifact: null, candidates: 0, gap: null },
  }));
  return { frames: comparable(frames), ended: walkFacts(trace).ended };
}

/** Whether frames at `at` can differ: they are not the same place, or one of the stacks ended before. */
function differsAt({ pairs, at: parts }: Comparison, at: number): boolean {
  const isPlaced = pairs.some(({ same, original, replayed }) => original && replayed && same !== 'unplaced');
  return isPlaced
    ? parts === at || (pairs[at]?.same === null && itemAt(pairs, at).replayed !== null)
    : at === 0;
}

/** Whether the lengths alone show that the stacks differ. */
function parts({ pairs, at }: Comparison): boolean {
  const pair = at === null ? undefined : pairs[at];
  return pair !== undefined && (pair.original === null || pair.replayed === null);
}

/** Pairs of frames that lie in a build, before the one at `end`. */
function placed({ pairs }: Comparison, end?: number): number {
  return pairs
    .slice(0, end)
    .filter(({ original, replayed, same }) => original && replayed && same !== 'unplaced').length;
}

function fewest(comparisons: Comparison[]): number {
  return Math.min(...comparisons.map((one) => placed(one)));
}

/** A comparison, and whether an outermost frame was reached at its last pair. */
type Compared = Comparison & { isWhole: boolean };

function comparedWith(original: Stack, replayed: Stack): Compared {
  const outermost = original.ended?.outermost || replayed.ended?.outermost;
  const isWhole = Boolean(outermost) && original.frames.length === replayed.frames.length;
  return { ...compareStacks(original, replayed), isWhole };
}

/** The verdict that follows from addresses alone; frames in the same function at another place count as different. */
function followsFrom({ verdict, at, known }: JoinReproduction, comparisons: Compared[]): boolean {
  const same = comparisons.every((one) => one.verdict === 'match');
  if (verdict === 'match') return same && known === fewest(comparisons);
  if (verdict === 'diverged')
    return at !== null && comparisons.some((one) => differsAt(one, at) && placed(one, at) === known);
  // Names can make frames equal that differ by their addresses; lengths and ends stay the same.
  if (comparisons.some(parts)) return false;
  const open = comparisons.filter(({ isWhole }) => !isWhole);
  if (verdict === 'match_fn') return !same && open.length === 0 && known === fewest(comparisons);
  return verdict === 'match_as_far_as_known' && open.length > 0 && known > 0 && known === fewest(open);
}

/** What is wrong with a verdict; null where it follows. `veiled`: crash sites were taken out of the record. */
export function reproductionLie(
  record: ReplayRecord,
  trace: Trace,
  said: JoinReproduction,
  veiled: boolean,
): string | null {
  const lie = (what: string): string => `the trace is said to be ${said.verdict}, and ${what}`;
  if (['no_crash', 'unreplayable'].includes(said.verdict) && said.known > 0)
    return lie(`${said.known} frames to be the same`);
  const obstacle = reproductionObstacle(record);
  if (obstacle !== null) return said.verdict === 'unreplayable' ? null : lie(obstacle);
  if (veiled) return said.verdict === 'unreplayable' ? lie('the replays were completed') : null;
  const found = programCrashes(record.replays);
  const ended = record.replays.find((_replay, i) => !found[i]);
  if (ended) return said.verdict === 'no_crash' ? null : lie(`replay ${ended.index} has no crash`);
  if (!walkFacts(trace).crashed)
    return said.verdict === 'unreplayable' ? null : lie('no thread of it crashed');
  const original = bare(trace);
  const crashes = new Map(found.map((crash) => [JSON.stringify(crash), present(crash)]));
  if (crashes.size * original.frames.length > MOST_PAIRS)
    return lie('its stacks are too many to be compared');
  const compared = [...crashes.values()].map((crash) => comparedWith(original, bare(fromCrash(crash))));
  return followsFrom(said, compared) ? null : lie('the stacks of the replays say otherwise');
}
