/** The frames of a stored trace with all they are joined to. */
import { systemClock } from '../base/clock.ts';
import { loadTrust } from '../evidence/trust/trust.ts';
import type { JoinedFrame } from '../join/gap.ts';
import { joinFrames } from '../join/store/join.ts';
import { reverify } from '../join/store/reverify.ts';
import type { TraceStore } from '../join/store/store.ts';
import type { Policy } from '../policy/policy.ts';
import { demangled } from '../symbolize/demangle.ts';

/** Joined frames, their evidence judged by the policy where one is named, and as it was accepted where none is. */
export async function joinedTrace(
  store: TraceStore,
  traceId: string,
  policy: Policy | undefined,
): Promise<JoinedFrame[]> {
  const frames = await joinFrames(store.database, traceId);
  return policy && policy.authorities.length > 0
    ? await reverify(store, frames, loadTrust(policy), systemClock.now())
    : frames;
}

/** The functions of these frames as people wrote them, by their names in the symbols. */
export async function functionNames(frames: readonly JoinedFrame[]): Promise<Map<string, string>> {
  return await demangled(frames.flatMap(({ places }) => places.flatMap(({ function: name }) => name ?? [])));
}
