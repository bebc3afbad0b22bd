/** The first difference of a diverged run, in a form that says where to look. */

import type { Digest } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { present } from '../base/list.ts';
import type { Manifest } from '../manifest/definition.ts';
import { describeEnding, diffStates } from '../state/diff.ts';
import type { FinalState } from '../state/final-state.ts';
import type { BlobStore } from '../store/blobs.ts';
import type { Decision } from './decide.ts';
import type { ReplayRecord } from './record.ts';
import { crashDifference, crashMeant, expectationOf, kindText, signReplays } from './same-crash.ts';

/** A state kept in the store, or undefined. */
export async function readState(store: BlobStore, digest: Digest): Promise<FinalState | undefined> {
  const bytes = await store.get(digest);
  if (!bytes) return undefined;
  const parsed = parseJson(bytes, { sizeBytes: LIMITS.statePaths * 4096, depth: 16 });
  if (!parsed.ok) throw new Fault('record_invalid', `state ${digest} is not usable JSON`);
  return parsed.value as FinalState;
}

function expectedEnding(expect: Manifest['expect']): string | undefined {
  if (expect?.signal !== undefined) return `signal ${expect.signal}`;
  return expect?.exit_code === undefined ? undefined : `exit ${expect.exit_code}`;
}

/** For replays with matching states: how the crash of the first that diverged differs. */
function crashDivergence(
  { replays }: Decision,
  diverged: Decision['replays'][number],
  expect: Manifest['expect'],
): ReplayRecord['divergence'] {
  const signed = signReplays(replays);
  const actual = signed.get(diverged);
  const usual = replays.find(({ outcome }) => outcome === 'match');
  const [first] = (usual && signed.get(usual)?.crashes) ?? [];
  const expected = expect?.crash ?? (first && expectationOf(first));
  const [other] = actual?.crashes ?? [];
  if (!actual || (!expected && !other)) return null;
  const difference = expected
    ? crashDifference(expected, crashMeant(actual, expected))
    : { expected: 'no crash', actual: kindText(present(other)) };
  return { kind: 'crash', ...difference, replay: diverged.index };
}

/** Compares the reference state with the first that diverged, or the endings where the reference is not kept. */
export async function explain(
  store: BlobStore,
  decision: Decision,
  expect: Manifest['expect'],
): Promise<ReplayRecord['divergence']> {
  const diverged = decision.replays.find((replay) => replay.outcome === 'diverged');
  if (!diverged?.final_state_sha256) return null;
  if (decision.reason === 'crash_site') return crashDivergence(decision, diverged, expect);
  const actual = await readState(store, diverged.final_state_sha256);
  if (!actual) return null;
  const replay = diverged.index;
  const reference = decision.reference.sha256 ? await readState(store, decision.reference.sha256) : undefined;
  const [first] = reference ? await diffStates(store, reference, actual, 1) : [];
  if (first) return { ...first, replay };
  const ending = expectedEnding(expect);
  if (ending !== undefined && ending !== describeEnding(actual))
    return { kind: 'ending', expected: ending, actual: describeEnding(actual), replay };
  // The expected state's content is not here, but two replays that differ show the same difference.
  const other = decision.replays.find(
    (one) => one.final_state_sha256 && one.final_state_sha256 !== diverged.final_state_sha256,
  );
  const second = other?.final_state_sha256 ? await readState(store, other.final_state_sha256) : undefined;
  const [between] = second ? await diffStates(store, actual, second, 1) : [];
  return between ? { ...between, replay: present(other).index } : null;
}
