/** What a trace is known by: the digest of its content in the one form, as canonical JSON (RFC 8785), whatever file it came in. */
import { type Digest, digestOf } from '../base/digest.ts';
import type { Trace } from './trace.ts';

/** Members are written in the order that canonical JSON sorts them into: a million frames then need no sorting. */
export function canonicalTrace({ format, images, signal, threads }: Trace): string {
  return JSON.stringify({
    format,
    images: images.map(({ arch, base, debug_id, id, path, sha256, size }) => ({
      ...{ arch, base, debug_id, id, path, sha256, size },
    })),
    signal,
    threads: threads.map(({ crashed, frames, id }) => ({
      crashed,
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
