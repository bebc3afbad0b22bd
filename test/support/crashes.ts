/** Traces made for tests of the store. */
import type { Digest } from '../../src/base/digest.ts';
import type { Incoming } from '../../src/join/store/ingest.ts';
import { type Frame, type Trace, type TraceImage, traceImage } from '../../src/trace/model/trace.ts';

const SOURCE = `sha256:${'5'.repeat(64)}` as Digest;

/** The image with the build-id `aa…` for 'a'. */
export function imageNamed(letter: string, more: Partial<TraceImage> = {}): TraceImage {
  return traceImage({
    id: `elf:${letter.repeat(40)}`,
    path: `/bin/${letter}`,
    base: '0x1000',
    size: 65536,
    ...more,
  });
}

/** A frame at an offset; the first of a thread stands at its address, the others behind a call. */
export function frameAt(image: number | null, offset: number, more: Partial<Frame> = {}): Frame {
  return {
    image,
    rel_addr: image === null ? null : `0x${offset.toString(16)}`,
    ip: `0x${(0x1000 + offset).toString(16)}`,
    activation: false,
    trust: 'cfi',
    claimed: null,
    ...more,
  };
}

export function traceOf(images: TraceImage[], frames: Frame[], more: Partial<Trace> = {}): Trace {
  return {
    format: 'native',
    signal: 'SIGSEGV',
    images,
    threads: [{ id: 1, crashed: true, frames }],
    ...more,
  };
}

export function incoming(trace: Trace): Incoming {
  return { trace, source: SOURCE };
}
