/** Compares the stack of a crash with that of its replay, frame by frame: the same place in the same build, or the same function in another. */

import {
  type FunctionName,
  functionName,
  type Lost,
  mangledStem,
  sameFunction,
} from '../base/function-name.ts';
import { present } from '../base/list.ts';
import type { WalkEnd } from '../trace/model/trace.ts';
import type { JoinedFrame } from './gap.ts';

export const REPRODUCTIONS = [
  'match',
  'match_fn',
  'match_as_far_as_known',
  'diverged',
  'no_crash',
  'unreplayable',
] as const;
export type ReproductionVerdict = (typeof REPRODUCTIONS)[number];

/** One frame of both stacks; null where one of them has none. */
export interface FramePair {
  original: JoinedFrame | null;
  replayed: JoinedFrame | null;
  /** `unplaced`: neither lies in a build with an identity, so nothing is compared. */
  same: 'place' | 'function' | 'unplaced' | null;
  /** For `function`: what the names leave open, although they count as equal. */
  lost: Lost[];
}

/** A stack to compare, innermost first, and how its walk ended; null: unknown. */
export interface Stack {
  frames: JoinedFrame[];
  ended: WalkEnd | null;
}

export interface Comparison {
  verdict: 'match' | 'match_fn' | 'match_as_far_as_known' | 'diverged';
  /** The first pair that differs, counted from the innermost; null where none does. */
  at: number | null;
  /** How many frames are the same, of those that lie in a build. */
  known: number;
  pairs: FramePair[];
}

/** As the kernel and debuggers call its page. */
export const VDSO: readonly string[] = ['[vdso]', 'linux-vdso.so.1', 'linux-gate.so.1'];

/** Whether a frame lies in the kernel's own page, which is no part of any build, and moves. */
export function isVdso({ image_path }: Pick<JoinedFrame, 'image_path'>): boolean {
  return VDSO.includes(image_path ?? '');
}

/** Frames of the thread that crashed, without the kernel's. */
export function comparable(frames: JoinedFrame[]): JoinedFrame[] {
  return frames.filter((frame) => frame.thread === 0 && !isVdso(frame));
}

/** What demangle.ts says of linkage names, which other readers give demangled. */
export type Demangled = ReadonlyMap<string, string>;

/** The function whose code it is, inlined calls aside, by symbols with accepted evidence; and the file it is in. */
function functionOf(
  { places, bundle, image_path, image_id, arch }: JoinedFrame,
  demangled: Demangled,
): { file: string | undefined; name: FunctionName } | null {
  const name = bundle?.evidence?.verified === true ? places.at(-1)?.function : null;
  if (!name) return null;
  const windowsX86 = arch === 'x86' && /^p(?:db|e):/.test(image_id ?? '');
  const more = {
    demangled: demangled.get(mangledStem(name) ?? ''),
    format: present(bundle).format,
    windowsX86,
  };
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

/**
 * Where the lengths show that two stacks differ though all compared frames are the same: one ended at its outermost
 * frame, and the other goes on. A stack that was cut may go on as well, so its length shows nothing.
 */
function partsAt(original: Stack, replayed: Stack): number {
  const [a, b] = [original.frames.length, replayed.frames.length];
  if (a > b && replayed.ended?.outermost) return b;
  return b > a && original.ended?.outermost ? a : -1;
}

/** Frame by frame; a match is one only where the outermost frame was reached: the rest of a stack that was cut is unknown. */
export function compareStacks(
  original: Stack,
  replayed: Stack,
  demangled: Demangled = new Map(),
): Comparison {
  const [a, b] = [original.frames, replayed.frames];
  const pairs = Array.from({ length: Math.max(a.length, b.length) }, (_, n): FramePair => {
    return { original: a[n] ?? null, replayed: b[n] ?? null, ...sameness(a[n], b[n], demangled) };
  });
  const both = pairs.slice(0, Math.min(a.length, b.length));
  const compared = both.filter(({ same }) => same !== 'unplaced');
  const differs = both.findIndex(({ same }) => same === null);
  const at = differs >= 0 ? differs : partsAt(original, replayed);
  if (at >= 0 || compared.length === 0) {
    const known = both.slice(0, Math.max(0, at)).filter(({ same }) => same !== 'unplaced').length;
    return { verdict: 'diverged', at: Math.max(0, at), known, pairs };
  }
  const known = compared.length;
  const isWhole = a.length === b.length && (original.ended?.outermost || replayed.ended?.outermost);
  if (!isWhole) return { verdict: 'match_as_far_as_known', at: null, known, pairs };
  const exact = compared.every(({ same }) => same === 'place');
  return { verdict: exact ? 'match' : 'match_fn', at: null, known, pairs };
}
