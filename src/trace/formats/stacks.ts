/** What readers of texts share: lines of bounded length, and stacks that grow frame by frame, with what was inlined into each. */

import { hex } from '../../base/hex.ts';
import { encodePlace } from '../../objects/script/place.ts';
import {
  type Frame,
  frameAt,
  imageFinder,
  type Thread,
  TRACE_LIMITS,
  type Trace,
  type TraceImage,
  traceImage,
} from '../model/trace.ts';
import type { TraceFile } from './format.ts';

/** Longer lines are no frames: a script in one line can stand before its stack. */
const MOST_LINE = 8192;
/** Functions inlined at one address whose names are kept, and characters of one. */
const MOST_INLINED = 32;
const MOST_NAME = 1024;

/** Lines without their ends, those that are too long left out. */
export function* linesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const found = text.indexOf('\n', at);
    const end = found < 0 ? text.length : found;
    if (end - at <= MOST_LINE) yield text.slice(at, end).trimEnd();
    at = end + 1;
  }
}

/** A frame as a text has it; what is left out is not known. */
export interface TextFrame extends Partial<Omit<Frame, 'claimed'>> {
  /** What the text calls it, and where in the source it says that is. */
  name?: string | null | undefined;
  source?: string | null | undefined;
}

function claimOf({ name, source }: Pick<TextFrame, 'name' | 'source'>): string | null {
  return (
    [name, source]
      .filter((one) => one)
      .join(' ')
      .slice(0, MOST_NAME) || null
  );
}

export class Stacks {
  readonly images: TraceImage[] = [];
  readonly threads: Thread[] = [];
  private readonly file: TraceFile;
  private readonly byKey = new Map<string, number>();
  private frames = 0;
  /** Of the last frame: where it is, and the names found there so far. */
  private last: { at: string; seen: Set<string> } | null = null;

  constructor(file: TraceFile) {
    this.file = file;
  }

  /** The image with this path and these facts, made where it is new. */
  image(known: Partial<TraceImage>): number {
    const key = JSON.stringify([known.path, known.id, known.debug_id, known.base]);
    const found = this.byKey.get(key);
    if (found !== undefined) return found;
    const index = this.images.push(traceImage(known)) - 1;
    this.byKey.set(key, index);
    return index;
  }

  /** Begins another stack. */
  begin(crashed: boolean, id: number = this.threads.length): Thread {
    const thread: Thread = { id, crashed, frames: [] };
    this.threads.push(thread);
    if (this.threads.length > TRACE_LIMITS.threads)
      throw this.file.wrong(`more than ${TRACE_LIMITS.threads} threads`);
    this.last = null;
    return thread;
  }

  /** Adds a frame to the last stack, farther out than those before. */
  add({ name, source, ...known }: TextFrame): Frame {
    if (++this.frames > TRACE_LIMITS.frames)
      throw this.file.wrong(
        `more than ${TRACE_LIMITS.frames} frames, at most ${TRACE_LIMITS.frames} are taken`,
      );
    const { frames } = this.threads.at(-1) ?? this.begin(true);
    const frame: Frame = {
      ...{ image: null, rel_addr: null, ip: null, activation: frames.length === 0, trust: 'prewalked' },
      ...known,
      claimed: claimOf({ name, source }),
    };
    frames.push(frame);
    return frame;
  }

  /**
   * As `add`, for texts in which each call that was inlined at an address stands as a frame of its own: those after the
   * first become part of its claim. `at` is the place as the text has it; a function that calls itself comes back to
   * the same address under the same name: that is another frame.
   */
  addPhysical(
    at: string | null,
    named: Pick<TextFrame, 'name' | 'source'>,
    place: () => Partial<Frame>,
  ): void {
    const before = this.threads.at(-1)?.frames.at(-1);
    const what = `${named.name} ${named.source}`;
    if (!before || at === null || this.last?.at !== at || this.last.seen.has(what)) {
      this.add({ ...place(), ...named });
      this.last = at === null ? null : { at, seen: new Set([what]) };
      return;
    }
    const { seen } = this.last;
    seen.add(what);
    if (seen.size > MOST_INLINED) return;
    before.claimed = [before.claimed, claimOf(named)].filter((one) => one).join(', inlined in ');
  }

  /** A place in a file, for a language whose stacks name nothing but lines: `arch` is the language. */
  script(arch: string, path: string, line: number, column = 0): Partial<Frame> {
    const rel_addr = encodePlace(line, column);
    // A place in a script is that of the call itself: nothing lies before it.
    if (rel_addr === null) return { activation: true };
    return { image: this.image({ path, arch }), rel_addr, activation: true };
  }

  trace(format: string, signal: string | null, more: Pick<Trace, 'fault_address'> = {}): Trace {
    return { format, signal, ...more, images: this.images, threads: this.threads };
  }
}

/** Frames that are known by their addresses alone, in the images that hold them: texts list the images last. */
export function placedIn(images: TraceImage[], threads: Thread[]): Thread[] {
  const find = imageFinder(images);
  return threads.map((thread) => ({
    ...thread,
    frames: thread.frames.map((frame) => {
      const { ip, activation, trust, claimed } = frame;
      return ip === null ? frame : frameAt(BigInt(ip), images, find, { activation, trust, claimed });
    }),
  }));
}

/** The return address, from an address that was printed as the byte before it. */
export function returnAddress(printed: bigint): string {
  return hex(printed + 1n);
}
