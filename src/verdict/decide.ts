/** Decides a verdict from what the replays left: pure, no clock, no files, no engine. */

import type { Digest } from '../base/digest.ts';
import { itemAt, present } from '../base/list.ts';
import type { Manifest } from '../manifest/definition.ts';
import type { Gates, ImageCheck } from '../policy/shape.ts';
import type { Ended } from '../sandbox/run.ts';
import { type CrashCheck, checkCrashes } from './crash-check.ts';
import type { MachineFacts } from './machine.ts';
import type { Claim, GateResult, Verdict } from './record.ts';
import type { ReplayResult } from './replay-result.ts';

/** One replay before it was compared with anything. */
export type RawReplay = Omit<ReplayResult, 'outcome' | 'crash_signatures'>;

/** What all replays are compared with. */
export interface ReferenceState {
  sha256: Digest | null;
  source: 'expectation' | 'most_frequent' | 'tie' | 'none';
}

const COMPLETED: readonly (Ended | null)[] = ['exit', 'signal'];

/** True when the program ran to its own end. */
export function completed(replay: RawReplay): boolean {
  return COMPLETED.includes(replay.ended) && replay.final_state_sha256 !== null && !replay.error;
}

/** The expectation where there is one, else the most frequent state; two equally frequent ones are a tie. */
function chooseReference(expect: Manifest['expect'], replays: RawReplay[]): ReferenceState {
  if (expect?.final_state_sha256) return { sha256: expect.final_state_sha256, source: 'expectation' };
  const counts = new Map<Digest, number>();
  for (const replay of replays.filter(completed))
    counts.set(present(replay.final_state_sha256), (counts.get(present(replay.final_state_sha256)) ?? 0) + 1);
  const ranked = [...counts].sort(([, m], [, n]) => n - m);
  const [first, second] = ranked;
  if (!first) return { sha256: null, source: 'none' };
  return { sha256: first[0], source: second && second[1] === first[1] ? 'tie' : 'most_frequent' };
}

/** Whether a replay ended in the reference state, in the way the manifest expects. */
function endsAs(replay: RawReplay, expect: Manifest['expect'], reference: ReferenceState): boolean {
  return (
    replay.final_state_sha256 === reference.sha256 &&
    (expect?.exit_code === undefined || replay.exit_code === expect.exit_code) &&
    (expect?.signal === undefined || replay.signal === expect.signal)
  );
}

/** Compares each replay with the reference, with the ending the manifest expects, and with the crash. */
export function judgeReplays(
  replays: RawReplay[],
  expect: Manifest['expect'],
  reference: ReferenceState,
  crashes: CrashCheck,
): ReplayResult[] {
  return replays.map((replay) => {
    const said = crashes.summaries(replay);
    const result = said.length > 0 ? { ...replay, crash_signatures: said } : replay;
    if (!completed(replay)) return { ...result, outcome: 'infra_error' };
    const fits = endsAs(replay, expect, reference) && crashes.fits(replay);
    return { ...result, outcome: fits ? 'match' : 'diverged' };
  });
}

/** The state a record shows: of a replay that matches, else of the first that completed. */
export function finalStateOf(replays: ReplayResult[]): Digest | null {
  const shown = replays.find(({ outcome }) => outcome === 'match') ?? replays.find(completed);
  return shown?.final_state_sha256 ?? null;
}

export interface Facts extends MachineFacts {
  requested: number;
  gates: Gates;
  expect: Manifest['expect'];
  imageCheck: ImageCheck;
  degraded: string[];
  claims: Claim[];
}

export interface Decision {
  verdict: Verdict;
  reason: string;
  flaky: boolean;
  ratio: number;
  replays: ReplayResult[];
  reference: ReferenceState;
  gates: GateResult[];
}

/** Why the forensic gate fails where replays agree with each other, but not all with the expectation. */
const UNMATCHED = 'the replays are not as expected';

/** The text in records of earlier releases, which also spoke of differing states when all replays agreed on another one. */
export function asOlderReleases(decision: Decision): Pick<Decision, 'reason' | 'gates'> {
  const { reason, gates, ratio, reference } = decision;
  const missed = ratio === 0 && reference.source === 'expectation';
  return {
    reason: NOT_MATCHED.includes(reason) ? (missed ? 'expectation_not_met' : 'states_differ') : reason,
    gates: gates.map((gate) =>
      gate.name === 'forensic' && typeof gate.value === 'string'
        ? { ...gate, value: gate.value.replace(UNMATCHED, 'states differ') }
        : gate,
    ),
  };
}

const NOT_MATCHED: readonly string[] = ['expectation_not_met', 'states_differ'];

/** Endings that are a reason by their own name. */
const SAYS_ITSELF: readonly string[] = ['exec_failed', 'unsupported', 'indeterminate_spin'];

/** Why the replays cannot carry a verdict, by the first that did not complete. */
function obstacle(replays: ReplayResult[], requested: number): string | undefined {
  const stuck = replays.filter((replay) => replay.outcome === 'infra_error');
  const worst = stuck.find((replay) => replay.error) ?? stuck[0];
  if (worst?.error) return worst.error.code;
  if (worst?.ended && SAYS_ITSELF.includes(worst.ended)) return worst.ended;
  if (worst?.ended) return `limit_${worst.ended.replace('_limit', '')}`;
  if (replays.length < requested && !replays.some((replay) => replay.outcome === 'diverged'))
    return 'not_all_replayed';
  return undefined;
}

function judgeGates(
  f: Facts,
  replays: ReplayResult[],
  ratio: number,
  reference: ReferenceState,
  crashes: CrashCheck,
): GateResult[] {
  const imageOk = f.gates.image_check === 'engine' || f.imageCheck === 'content';
  const states = new Set(replays.map((replay) => replay.final_state_sha256));
  const forensic: [boolean, string][] = [
    [states.size === 1, 'states differ'],
    [ratio === 1 || states.size > 1, UNMATCHED],
    [reference.source === 'expectation', 'no expected state was given'],
    [f.imageCheck === 'content', 'the image’s content was not checked'],
    [f.degraded.length === 0, `degraded: ${f.degraded.join(', ')}`],
    // A record that hides it is exposed by its mechanisms.
    [f.degraded.length > 0 || f.lost.length === 0, `determinism ${f.lost.join(', ')}`],
    [f.claims.every((claim) => claim.match !== false), 'a claim does not match what was observed'],
  ];
  const failed = forensic.filter(([ok]) => !ok).map(([, why]) => why);
  return [
    {
      name: 'replay_ratio',
      threshold: f.gates.replay_ratio,
      value: ratio,
      pass: ratio >= f.gates.replay_ratio,
    },
    { name: 'image_check', threshold: f.gates.image_check, value: f.imageCheck, pass: imageOk },
    ...(crashes.gate ? [crashes.gate] : []),
    ...(f.gates.mechanisms === 'all'
      ? [
          {
            name: 'mechanisms',
            threshold: 'all',
            value: f.lost.join('; ') || 'all',
            pass: f.lost.length === 0,
          },
        ]
      : []),
    ...(f.gates.forensic
      ? [
          {
            name: 'forensic',
            threshold: true,
            value: failed.length === 0 ? true : failed.join('; '),
            pass: failed.length === 0,
          },
        ]
      : []),
  ];
}

/**
 * The verdict, its reason and the gates. An unfinished replay never counts for or against the program. `withheld` stands
 * for crash sites that were taken out of a record, where its statements about them can only be repeated.
 */
export function decide(raw: RawReplay[], f: Facts, withheld?: CrashCheck): Decision {
  const reference = chooseReference(f.expect, raw);
  const ending = raw.filter((replay) => completed(replay) && endsAs(replay, f.expect, reference));
  const crashes = withheld ?? checkCrashes(raw.filter(completed), ending, f);
  const replays = judgeReplays(raw, f.expect, reference, crashes);
  const matching = replays.filter((replay) => replay.outcome === 'match').length;
  const ratio = matching / f.requested;
  const gates = judgeGates(f, replays, ratio, reference, crashes);
  const flaky = matching > 0 && replays.some((replay) => replay.outcome === 'diverged');
  const result = (verdict: Verdict, reason: string): Decision => ({
    verdict,
    reason,
    flaky,
    ratio,
    replays,
    reference,
    gates,
  });
  const stopped = obstacle(replays, f.requested);
  if (stopped) return result('inconclusive', stopped);
  if (reference.source === 'tie') return result('diverged', 'tie');
  const agree = new Set(replays.map((r) => r.final_state_sha256)).size === 1;
  // Replays that agree with each other on one processor prove nothing about another processor's state.
  if (
    !itemAt(gates, 0).pass &&
    agree &&
    matching === 0 &&
    reference.source === 'expectation' &&
    f.elsewhere !== null
  )
    return result('inconclusive', 'other_processor');
  // All states match, but the crashes do not: a state does not show where a program died.
  if (!itemAt(gates, 0).pass && ending.length / f.requested >= f.gates.replay_ratio)
    return result('diverged', 'crash_site');
  if (!itemAt(gates, 0).pass) return result('diverged', agree ? 'expectation_not_met' : 'states_differ');
  if (crashes.verdict === 'other') return result('diverged', 'crash_site');
  if (crashes.verdict === 'unseen') return result('inconclusive', 'crash_unseen');
  return result('reproduced', reference.source === 'expectation' ? 'matches_expectation' : 'self_consistent');
}
