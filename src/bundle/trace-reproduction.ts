/** Whether a record's replays came to what is said of them: as far as addresses tell, without anybody's symbols. */
import { type Comparison, comparable, compareStacks } from '../trace/compare.ts';
import { claimsOf, frameFacts } from '../trace/frame-facts.ts';
import { fromCrash } from '../trace/from/replay.ts';
import type { JoinedFrame } from '../trace/gap.ts';
import type { JoinReproduction } from '../trace/join-document.ts';
import { obstacleOf } from '../trace/reproduction.ts';
import type { Trace } from '../trace/trace.ts';
import type { ReplayRecord } from '../verdict/record.ts';

/** Pairs of frames that are compared, of all different crashes of one record. */
const MOST_PAIRS = 20_000_000;

/** Frames without anything that only symbols could say; addresses in one spelling. */
function bare(trace: Trace): JoinedFrame[] {
  const frames = frameFacts(trace).map((facts) => ({
    ...facts,
    rel_addr: facts.rel_addr?.replace(/^0x0+(?=.)/, '0x') ?? null,
    ...{ places: [], degraded: false, status: null, bundle: null, artifact: null, candidates: 0, gap: null },
  }));
  return comparable(frames, claimsOf(trace));
}

/** A replay's stack that goes on behind the original's end is no difference. */
function differsAt({ pairs }: Comparison, at: number): boolean {
  const compared = pairs.filter(({ original }) => original !== null);
  const isPlaced = compared.some(({ same }) => same !== 'unplaced');
  return isPlaced ? compared[at]?.same === null : at === 0;
}

/** What follows from addresses alone: where a replay is said to be in the same function, they differ. */
function followsFrom({ verdict, at }: JoinReproduction, comparisons: Comparison[]): boolean {
  const same = comparisons.every((one) => one.verdict === 'match');
  if (verdict === 'match') return same;
  const isWhole = comparisons.every(({ pairs }) =>
    pairs.every(({ original, replayed }) => !original || replayed),
  );
  if (verdict === 'match_fn') return !same && isWhole;
  return verdict === 'diverged' && at !== null && comparisons.some((one) => differsAt(one, at));
}

/** What is wrong with a verdict; null where it follows. `veiled`: crash sites were taken out of the record. */
export function reproductionLie(
  record: ReplayRecord,
  trace: Trace,
  said: JoinReproduction,
  veiled: boolean,
): string | null {
  const lie = (what: string): string => `the trace is said to be ${said.verdict}, and ${what}`;
  const obstacle = obstacleOf(record);
  if (obstacle !== null) return said.verdict === 'unreplayable' ? null : lie(obstacle);
  if (veiled) return said.verdict === 'unreplayable' ? lie('the replays were completed') : null;
  const ended = record.replays.find(({ crash }) => !crash);
  if (ended) return said.verdict === 'no_crash' ? null : lie(`replay ${ended.index} has no crash`);
  const original = bare(trace);
  const crashes = new Map(record.replays.map(({ crash }) => [JSON.stringify(crash), crash!]));
  if (crashes.size * original.length > MOST_PAIRS) return lie('its stacks are too many to be compared');
  const comparisons = [...crashes.values()].map((crash) => compareStacks(original, bare(fromCrash(crash))));
  return followsFrom(said, comparisons) ? null : lie('the stacks of the replays say otherwise');
}
