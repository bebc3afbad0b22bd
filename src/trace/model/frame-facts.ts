/** What a trace itself says about each frame, in the order and under the names that stores and bundles have for it. */

import { type Digest, hexOf } from '../../base/digest.ts';
import { itemAt } from '../../base/list.ts';
import { plainText } from '../../store/sql/rows.ts';
import type { FrameTrust, Thread, Trace, TraceImage, WalkEnd } from './trace.ts';

export interface FrameFacts {
  /** Counted through all threads. */
  index: number;
  /** 0: the thread that crashed, else the first. */
  thread: number;
  ip: string | null;
  image_id: string | null;
  image_path: string | null;
  arch: string | null;
  loaded_sha256: Digest | null;
  rel_addr: string | null;
  activation: boolean;
  trust: FrameTrust;
}

/** An image that has no id is known by its file, else by nothing but its path, which joins with no symbols. */
export function imageKey({ id, debug_id, sha256, path }: TraceImage): string {
  if (id !== null) return id;
  if (debug_id !== null) return `debug:${debug_id}`;
  return sha256 === null ? `none:${plainText(path)}` : `sha256:${hexOf(sha256)}`;
}

/** The thread that crashed comes first: gates and comparisons count from there. */
export function inOrder(threads: Thread[]): Thread[] {
  const crashed = Math.max(
    0,
    threads.findIndex((thread) => thread.crashed),
  );
  return [itemAt(threads, crashed), ...threads.filter((_, n) => n !== crashed)];
}

const NOWHERE = { image_id: null, image_path: null, arch: null, loaded_sha256: null, rel_addr: null };

/** Every frame of a trace; a frame whose image or address is unknown is in no image at all. */
export function frameFacts({ images, threads }: Trace): FrameFacts[] {
  const places = images.map((image) => ({
    image_id: imageKey(image),
    image_path: plainText(image.path),
    arch: image.arch,
    loaded_sha256: image.sha256,
  }));
  let index = 0;
  return inOrder(threads).flatMap(({ frames }, thread) =>
    frames.map(({ image, rel_addr, ip, activation, trust }) => ({
      ...(image === null || rel_addr === null ? NOWHERE : { ...itemAt(places, image), rel_addr }),
      index: index++,
      thread,
      ip,
      activation,
      trust,
    })),
  );
}

/** What the sender calls each frame, in the same order. */
export function claimsOf({ threads }: Trace): (string | null)[] {
  return inOrder(threads).flatMap(({ frames }) => frames.map(({ claimed }) => claimed));
}

/** What a trace says about the thread that its gates judge: whether it crashed, and how its walk ended. */
export interface WalkFacts {
  /** False: no thread did, as in a core of a living process. */
  crashed: boolean;
  /** null: the trace does not say. */
  ended: WalkEnd | null;
}

/** Of the thread that comes first. */
export function walkFacts({ threads }: Trace): WalkFacts {
  const { crashed, ended } = itemAt(inOrder(threads), 0);
  return { crashed, ended: ended ?? null };
}
