/** What a trace is known by: the digest of its content in the one form, as canonical JSON (RFC 8785), whatever file it came in. */
import { type Digest, digestOf } from '../../base/digest.ts';
import type { Trace, WalkEnd } from './trace.ts';

function endedInOrder({ by, detail, missing, outermost, reason }: WalkEnd): WalkEnd {
  return { by, detail, missing, outermost, reason };
}

/** Members are written in the order that canonical JSON sorts them into: a million frames then need no sorting. */
export function canonicalTrace({ code, fault_address, format, images, signal, threads }: Trace): string {
  return JSON.stringify({
    code,
    fault_address,
    format,
    images: images.map(({ arch, base, debug_id, id, path, sha256, size }) => ({
      ...{ arch, base, debug_id, id, path, sha256, size },
    })),
    signal,
    threads: threads.map(({ crashed, ended, frames, id }) => ({
      crashed,
      ended: ended && endedInOrder(ended),
      frames: frames.map(({ activation, claimed, image, ip, rel_addr, trust }) => ({
        ...{ activation, claimed, image, ip, rel_addr, trust },
      })),
      id,
    })),
  });
}

/** The digest of a trace. */
export function traceIdOf(trace: Trace): Digest {
  return digestOf(canonicalTrace(trace));
}
