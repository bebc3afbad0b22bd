/** The crashes' part in a verdict: which crash every replay must end in, which replays do, and the gate for it. */
import { shortId } from '../manifest/crash-signature.ts';
import type { Manifest } from '../manifest/definition.ts';
import type { Gates, SameCrash } from '../policy/shape.ts';
import type { GateResult } from './record.ts';
import {
  type CrashSummary,
  crashKey,
  crashMeant,
  isExpected,
  kindText,
  nameCrash,
  type ReplayCrashes,
  type SignedReplay,
  signReplays,
} from './same-crash.ts';

export interface CrashFacts {
  gates: Gates;
  expect: Manifest['expect'];
  /** Whether PID 1 looks for crashes at all: only with full determinism. */
  crashesSeen: boolean;
}

/** The result. `unseen`: a crash is expected, but PID 1 did not look for one; `other`: a replay crashed elsewhere. */
export interface CrashCheck {
  verdict: 'same' | 'other' | 'unseen';
  /** Only where a crash is expected. */
  gate: GateResult | null;
  fits(replay: ReplayCrashes): boolean;
  summaries(replay: ReplayCrashes): CrashSummary[];
}

/** The key that most replays share; of equally frequent ones the first. */
function mostFrequent(keys: string[]): string {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? '';
}

function counted(names: string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (counts.size === 1 ? name : `${name} × ${count}`)).join(', ');
}

function summarised({ crashes }: SignedReplay): CrashSummary[] {
  return crashes.map(({ process, signature, siteText }) => ({
    process,
    id: signature.id,
    functions_id: signature.functions_id,
    walk: signature.walk,
    site: siteText,
  }));
}

/** Of the replays that completed, and of those among them that ended as they should but for the crash. Pure. */
export function checkCrashes(replays: ReplayCrashes[], ending: ReplayCrashes[], f: CrashFacts): CrashCheck {
  const mode: SameCrash = f.gates.same_crash ?? 'exact';
  const signed = signReplays(replays);
  const of = (replay: ReplayCrashes): SignedReplay =>
    signed.get(replay) ?? { crashes: [], othersMissing: false };
  const summaries = (replay: ReplayCrashes): CrashSummary[] => summarised(of(replay));
  const expected = f.expect?.crash;
  if (mode === 'off') return { verdict: 'same', gate: null, fits: () => true, summaries };
  if (!expected) {
    const keys = new Set(replays.map((replay) => crashKey(of(replay), mode)).filter((key) => key !== ''));
    const usual = mostFrequent(ending.map((replay) => crashKey(of(replay), mode)));
    return {
      verdict: keys.size > 1 ? 'other' : 'same',
      gate: null,
      fits: (replay) => crashKey(of(replay), mode) === usual,
      summaries,
    };
  }
  const meant = replays.map((replay) => crashMeant(of(replay), expected));
  const isOther = meant.some((crash) => crash && !isExpected(expected, crash, mode));
  const found = counted(meant.map((crash) => (crash ? nameCrash(crash) : 'no crash')));
  const pass = f.crashesSeen && !isOther && meant.some((crash) => crash !== undefined);
  return {
    verdict: f.crashesSeen ? (isOther ? 'other' : 'same') : 'unseen',
    gate: {
      name: 'same_crash',
      threshold: expected.signature
        ? `${mode} ${shortId((mode === 'function' && expected.signature.functions_id) || expected.signature.id)}`
        : kindText(expected),
      value: f.crashesSeen ? found : 'not seen: determinism is off',
      pass,
    },
    // A crash that was not looked for counts neither for a replay nor against it.
    fits: (replay) => !f.crashesSeen || isExpected(expected, crashMeant(of(replay), expected), mode),
    summaries,
  };
}
