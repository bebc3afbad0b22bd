/** Compares the stack of a crash with that of its replay, frame by frame: the same place in the same build, or the same function in another. */
import {
  type FunctionName,
  functionName,
  type Lost,
  mangledStem,
  sameFunction,
} from '../base/function-name.ts';
import type { JoinedFrame } from './gap.ts';

export const REPRODUCTIONS = ['match', 'match_fn', 'diverged', 'no_crash', 'unreplayable'] as const;
export type ReproductionVerdict = (typeof REPRODUCTIONS)[number];

/** One frame of both stacks; null where one of them has none. */
export interface FramePair {
  original: JoinedFrame | null;
  replayed: JoinedFrame | null;
  /** `unplaced`: both lie in no build that anybody could name, so that nothing is compared. */
  same: 'place' | 'function' | 'unplaced' | null;
  /** Of `function`: what the names do not tell, though they count as equal. */
  lost: Lost[];
}

export interface Comparison {
  verdict: 'match' | 'match_fn' | 'diverged';
  /** The first pair that differs, counted from the innermost; null where none does. */
  at: number | null;
  pairs: FramePair[];
}

/** As the kernel and debuggers call its page. */
const VDSO: readonly string[] = ['[vdso]', 'linux-vdso.so.1', 'linux-gate.so.1'];

/** The kernel's own page is no part of any build, and moves. */
function isVdso({ image_path, image_id }: JoinedFrame, claimed: string | null): boolean {
  return VDSO.includes(image_path ?? '') || (image_id === null && /^\[?vdso\]?(?:\+|$)/.test(claimed ?? ''));
}

/** Frames of the thread that crashed, without the kernel's; `claimed` by frame, as the trace says it. */
export function comparable(frames: JoinedFrame[], claimed: (string | null)[]): JoinedFrame[] {
  return frames.filter((frame) => frame.thread === 0 && !isVdso(frame, claimed[frame.index] ?? null));
}

/** What demangle.ts says of linkage names, which other readers give demangled. */
export type Demangled = ReadonlyMap<string, string>;

/** The function whose code it is, inlined calls aside, by symbols that somebody vouches for; and the file it is in. */
function functionOf(
  { places, bundle, image_path, image_id, arch }: JoinedFrame,
  demangled: Demangled,
): { file: string | undefined; name: FunctionName } | null {
  const name = bundle?.evidence?.verified === true ? places.at(-1)?.function : null;
  if (!name) return null;
  const windowsX86 = arch === 'x86' && /^p(?:db|e):/.test(image_id ?? '');
  const more = { demangled: demangled.get(mangledStem(name) ?? ''), format: bundle!.format, windowsX86 };
  return { file: image_path?.split(/[\\/]/).at(-1), name: functionName(name, more) };
}

/** The linkage names that a comparison of these frames wants demangled. */
export function linkageNames(frames: JoinedFrame[]): string[] {
  return frames.flatMap(({ places }) => mangledStem(places.at(-1)?.function ?? '') ?? []);
}

/** Whether a frame lies in a build that has an identity: a path alone is none. */
function isPlaced({ image_id }: JoinedFrame): boolean {
  return image_id !== null && !image_id.startsWith('none:');
}

function sameness(
  a: JoinedFrame | undefined,
  b: JoinedFrame | undefined,
  demangled: Demangled,
): Pick<FramePair, 'same' | 'lost'> {
  const plain = (same: FramePair['same']): Pick<FramePair, 'same' | 'lost'> => ({ same, lost: [] });
  if (!a || !b) return plain(null);
  if (!isPlaced(a) && !isPlaced(b)) return plain('unplaced');
  const otherFile =
    a.loaded_sha256 !== null && b.loaded_sha256 !== null && a.loaded_sha256 !== b.loaded_sha256;
  if (a.image_id === b.image_id && a.rel_addr === b.rel_addr && !otherFile) return plain('place');
  const [one, other] = [functionOf(a, demangled), functionOf(b, demangled)];
  const lost = one && other && one.file === other.file ? sameFunction(one.name, other.name) : null;
  return lost === null ? plain(null) : { same: 'function', lost };
}

/** Both lists innermost first. A replay's stack that goes on behind the original's end is no difference: that one was cut short. */
export function compareStacks(
  original: JoinedFrame[],
  replayed: JoinedFrame[],
  demangled: Demangled = new Map(),
): Comparison {
  const pairs = Array.from({ length: Math.max(original.length, replayed.length) }, (_, n): FramePair => {
    const [a, b] = [original[n], replayed[n]];
    return { original: a ?? null, replayed: b ?? null, ...sameness(a, b, demangled) };
  });
  const compared = pairs.slice(0, original.length).filter(({ same }) => same !== 'unplaced');
  const at = pairs.findIndex(({ same, original: a }) => same === null && a !== null);
  if (at >= 0 || compared.length === 0) return { verdict: 'diverged', at: Math.max(0, at), pairs };
  const exact = compared.every(({ same }) => same === 'place');
  return { verdict: exact ? 'match' : 'match_fn', at: null, pairs };
}
