/** Gaps of a trace, grouped by what would close them, the worst first: what was expected, what is there, and what to do. */

import { itemAt, present } from '../base/list.ts';
import type { WalkEnd } from '../trace/model/trace.ts';
import { countedFrames } from '../verdict/custody.ts';
import { isVdso } from './compare.ts';
import type { GapCode, JoinedFrame, NearMiss } from './gap.ts';
import { judgedFrames } from './gates.ts';
import { cutRemedy, remedyOf } from './remedy.ts';

export interface Gap {
  code: GapCode | 'walk_cut';
  image_id: string | null;
  image_path: string | null;
  /** Numbers of its frames in the trace. */
  frames: number[];
  /** Of the frames that the gate judges, and the share of them that closing this gap would join, if nothing else is wrong. */
  gated: number;
  wins: number;
  expected: string;
  actual: string;
  remedy: string;
  /** Symbols that nearly fit. */
  near: NearMiss[];
}

/** The code of a frame whose symbols are missing, or name nothing, by what there is instead. */
function codeOf(frame: JoinedFrame, near: NearMiss[]): GapCode {
  const isMissing = frame.gap === 'bundle_missing' || frame.gap === 'stripped_bundle';
  return isMissing && near.length > 0 ? itemAt(near, 0).code : present(frame.gap);
}

/** What a walk that was cut lacks. */
function cutGap(ended: WalkEnd, judged: number): Gap {
  const counted = countedFrames(judged, ended.missing);
  return {
    ...{ code: 'walk_cut', image_id: null, image_path: null, frames: [], gated: counted - judged, near: [] },
    wins: (counted - judged) / counted,
    expected: 'the frames up to the outermost one',
    actual: `${ended.by} ended (${ended.reason}) ${ended.detail ?? ''}`,
    remedy: cutRemedy(ended.reason ?? ''),
  };
}

/** All that keeps frames from being joined, and what the walk lacks, where it was cut. `near` is by image id. */
export function gapsOf(
  frames: JoinedFrame[],
  near: ReadonlyMap<string, NearMiss[]>,
  ended: WalkEnd | null = null,
): Gap[] {
  const gatedFrames = new Set(judgedFrames(frames).map(({ index }) => index));
  const isGated = ({ index }: JoinedFrame): boolean => gatedFrames.has(index);
  const isCut = ended !== null && !ended.outermost;
  const judged = isCut ? countedFrames(gatedFrames.size, ended.missing) : gatedFrames.size;
  const groups = new Map<string, { code: GapCode; members: JoinedFrame[]; near: NearMiss[] }>();
  for (const frame of frames) {
    if (frame.gap === null || isVdso(frame)) continue;
    const misses = near.get(frame.image_id ?? '') ?? [];
    const code = codeOf(frame, misses);
    const key = JSON.stringify([code, frame.image_id, frame.loaded_sha256]);
    const group = groups.get(key) ?? { code, members: [], near: misses };
    group.members.push(frame);
    groups.set(key, group);
  }
  const gaps = [...groups.values()].map(({ code, members, near: misses }): Gap => {
    const first = itemAt(members, 0);
    const gated = members.filter(isGated).length;
    return {
      code,
      image_id: first.image_id,
      image_path: first.image_path,
      frames: members.map(({ index }) => index),
      gated,
      wins: judged === 0 ? 0 : gated / judged,
      near: misses,
      ...remedyOf(code, first, misses),
    };
  });
  if (isCut) gaps.push(cutGap(ended, gatedFrames.size));
  return gaps.sort(
    (a, b) =>
      b.gated - a.gated || b.frames.length - a.frames.length || (a.frames[0] ?? 0) - (b.frames[0] ?? 0),
  );
}
