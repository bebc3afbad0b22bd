/** No wait without an end: who waits is told of a wait that takes long, and what no longer answers is given up. */

import { systemClock } from './clock.ts';
import { statusOf } from './thrown.ts';

/** Milliseconds. */
export const PATIENCE = {
  /** Of silence, until a person hears of it. */
  tellMs: 5_000,
  /** Between two looks whether the other side lives, and between two words to a person. */
  lookMs: 20_000,
  /** What the other side has for saying that it lives; and where it was lost before. */
  answerMs: 10_000,
  lostAnswerMs: 1_000,
  /** Of silence about a request, of one that says that it lives. */
  aliveQuietMs: 600_000,
  /** Of silence in mid-transfer, and of one that cannot be asked whether it lives. */
  quietMs: 45_000,
  /** Until another process lets go of what one at a time may have. */
  busyMs: 55_000,
  /** Of silence in one try of several; the second such silence is the last. */
  tryQuietMs: 25_000,
};
export type PatienceLimits = typeof PATIENCE;

/** Who waits: where it hears of that, what ends it early, and other limits than PATIENCE. */
export interface Waiting {
  signal?: AbortSignal | undefined;
  tell?: ((text: string) => void) | undefined;
  limits?: PatienceLimits | undefined;
}

/** What is waited for. */
export interface Other {
  /** As in "the engine". */
  name: string;
  address: string;
  /** Asks for a sign of life; a refusal with a status is one, too. Left out where silence alone decides. */
  ping?: (signal: AbortSignal) => Promise<unknown>;
}

/** One wait. */
export interface Wait {
  /** As in "could not …". */
  what: string;
  /** Of silence, in milliseconds; Infinity: as long as a program runs, only the other side's life is watched. */
  quietMs?: number;
  /** It is expected to take long. */
  silent?: boolean;
}

/** What the work that is waited for is given. */
export interface Turn {
  /** Something came, or went: the silence begins anew. */
  heard: () => void;
  /** Aborts when it is no longer waited for. */
  signal: AbortSignal;
}

/** It was silent for too long. */
export class Unanswered extends Error {}
/** It no longer says that it lives. */
export class OtherLost extends Unanswered {}

const LATE = Symbol('late');

/** `work`'s result, or LATE, also where the signal aborts. Millions of pieces go through here: one timer, no more. */
function within<T>(work: Promise<T>, ms: number, signal?: AbortSignal): Promise<T | typeof LATE> {
  return new Promise((resolve, reject) => {
    const late = (): void => {
      end();
      resolve(LATE);
    };
    const timer = setTimeout(late, ms);
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', late);
    };
    signal?.addEventListener('abort', late);
    if (signal?.aborted) late();
    work.finally(end).then(resolve, reject);
  });
}

const nothing = (): void => undefined;

export class Patience {
  readonly limits: PatienceLimits;
  private readonly other: Other;
  private readonly tell: (text: string) => void;
  private readonly signal: AbortSignal | undefined;
  /** One look at a time, however many wait. */
  private look: Promise<boolean> | undefined;
  private lost = false;
  /** A transfer ended in silence, and none was whole since. */
  private stalled = false;
  constructor(other: Other, { signal, tell = nothing, limits = PATIENCE }: Waiting = {}) {
    this.other = other;
    this.signal = signal;
    this.tell = tell;
    this.limits = limits;
  }

  /** Whether the other side answers at all; one that cannot be asked is taken for alive. */
  lives(ms: number = this.limits.answerMs): Promise<boolean> {
    const { ping } = this.other;
    if (!ping) return Promise.resolve(true);
    const end = new AbortController();
    const answer = async (): Promise<boolean> => {
      try {
        return (await within(ping(end.signal), ms, this.signal)) !== LATE;
      } catch (error) {
        return statusOf(error) !== undefined;
      }
    };
    this.look ??= answer().finally(() => {
      end.abort();
      this.look = undefined;
    });
    return this.look;
  }

  private async assertLives(ms: number, seconds: number): Promise<void> {
    this.lost = !(await this.lives(ms));
    this.signal?.throwIfAborted();
    if (this.lost)
      throw new OtherLost(`it has not answered for ${seconds} s, and does not say that it lives`);
  }

  /** The longest silence that a wait may meet. */
  private quietOf({ quietMs }: Wait): number {
    const { aliveQuietMs, quietMs: plain } = this.limits;
    return quietMs ?? (this.other.ping ? aliveQuietMs : plain);
  }

  /** What was lost must not be waited for by each request anew. */
  private async begin(): Promise<void> {
    this.signal?.throwIfAborted();
    const { lostAnswerMs } = this.limits;
    if (this.lost) await this.assertLives(lostAnswerMs, lostAnswerMs / 1000);
  }

  /** Waits for `call`. @throws Unanswered where the other side is lost or silent too long; the signal's reason */
  async wait<T>(wait: Wait, call: (turn: Turn) => Promise<T>): Promise<T> {
    if (this.lost || this.signal?.aborted) await this.begin();
    const given = new AbortController();
    let heard = false;
    const hear = (): boolean => {
      const before = heard;
      heard = false;
      return before;
    };
    const turn: Turn = {
      signal: given.signal,
      heard: () => {
        heard = true;
      },
    };
    const work = call(turn);
    work.catch(nothing);
    try {
      return await this.end(wait, work, hear);
    } catch (error) {
      given.abort(error);
      throw error;
    }
  }

  private async end<T>(wait: Wait, work: Promise<T>, hear: () => boolean): Promise<T> {
    const { tellMs, lookMs, answerMs } = this.limits;
    const { name, address } = this.other;
    const quietMs = this.quietOf(wait);
    let [waitedMs, lookedMs] = [0, 0];
    for (;;) {
      const next = Math.min(tellMs, quietMs - waitedMs);
      const answer = await within(work, next, this.signal);
      if (answer !== LATE) return answer as T;
      this.signal?.throwIfAborted();
      waitedMs = hear() ? 0 : waitedMs + next;
      if (waitedMs === 0) lookedMs = 0;
      const seconds = Math.round(waitedMs / 100) / 10;
      const looks = waitedMs >= lookedMs + (lookedMs === 0 ? tellMs : lookMs);
      if (looks && !wait.silent)
        this.tell(`still waiting for ${name} at ${address}, which is to ${wait.what} (${seconds} s)`);
      if (looks && lookedMs > 0) {
        const began = systemClock.monotonicMs();
        const look = this.assertLives(answerMs, seconds);
        look.catch(nothing);
        await Promise.race([work.then(nothing, nothing), look]);
        waitedMs += systemClock.monotonicMs() - began;
      }
      if (looks) lookedMs = waitedMs;
      if (waitedMs >= quietMs) throw new Unanswered(`it has been silent for ${seconds} s`);
    }
  }

  /** The pieces of a transfer, each waited for; `stop` lets go of one that is not read to its end. */
  async *follow<T>(source: AsyncIterable<T>, wait: Wait, stop: () => void): AsyncGenerator<T> {
    const pieces = source[Symbol.asyncIterator]();
    const { quietMs: plain, lostAnswerMs } = this.limits;
    const quietMs = wait.quietMs ?? (this.stalled ? lostAnswerMs : plain);
    let whole = false;
    try {
      for (;;) {
        const next = pieces.next();
        next.catch(nothing);
        const piece = await this.end({ ...wait, quietMs }, next, () => false);
        whole = piece.done === true;
        if (whole) return;
        yield piece.value;
      }
    } catch (error) {
      this.stalled ||= error instanceof Unanswered;
      throw error;
    } finally {
      if (whole) this.stalled = false;
      else stop();
    }
  }
}
