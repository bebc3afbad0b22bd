/** No request to an engine waits for ever: one that takes long is told of, and an engine that no longer answers is lost. */
import { sleep } from '../base/clock.ts';

/** Milliseconds. `tell`: until a person hears of it; `look`: between two looks whether the engine lives; `answer`: what it has for saying so. */
export const PATIENCE = {
  tellMs: 5_000,
  lookMs: 20_000,
  answerMs: 10_000,
  lostAnswerMs: 1_000,
  totalMs: 600_000,
};

/** What a request may take, and what is said of it. */
export interface Wait {
  /** As in "could not …". */
  what: string;
  /** Infinity: as long as a program runs, or an image is pulled; only the engine's life is watched. */
  totalMs?: number;
  /** It is expected to take long. */
  silent?: boolean;
}

const LATE = Symbol('late');

/** `work`'s result, or LATE; whichever loses is not waited for. */
async function within<T>(work: Promise<T>, ms: number): Promise<T | typeof LATE> {
  const timer = new AbortController();
  try {
    return (await Promise.race([
      work,
      sleep(ms, timer.signal).then(
        () => LATE,
        () => LATE,
      ),
    ] as const)) as T | typeof LATE;
  } finally {
    timer.abort();
  }
}

/** It no longer says that it lives. */
export class EngineLost extends Error {}

export class Patience {
  private readonly address: string;
  private readonly ping: () => Promise<unknown>;
  private readonly tell: (text: string) => void;
  private readonly limits: typeof PATIENCE;
  /** One look at a time, however many wait. */
  private look: Promise<boolean> | undefined;
  private lost = false;
  constructor(
    address: string,
    ping: () => Promise<unknown>,
    tell: (text: string) => void = () => undefined,
    limits: typeof PATIENCE = PATIENCE,
  ) {
    this.address = address;
    this.ping = ping;
    this.tell = tell;
    this.limits = limits;
  }

  /** Whether the engine answers at all; a refusal with a status is an answer, a refused connection is none. */
  private lives(ms: number): Promise<boolean> {
    const answer = async (): Promise<boolean> => {
      try {
        return (await within(this.ping(), ms)) !== LATE;
      } catch (error) {
        return (error as { statusCode?: number }).statusCode !== undefined;
      }
    };
    this.look ??= answer().finally(() => {
      this.look = undefined;
    });
    return this.look;
  }

  private async assertLives(ms: number, seconds: number): Promise<void> {
    this.lost = !(await this.lives(ms));
    if (this.lost)
      throw new EngineLost(`it has not answered for ${seconds} s, and does not say that it lives`);
  }

  /** Waits for a request. @throws Error where the engine is lost, or the request took longer than it may */
  async wait<T>({ what, totalMs = this.limits.totalMs, silent }: Wait, call: () => Promise<T>): Promise<T> {
    const { tellMs, lookMs, answerMs, lostAnswerMs } = this.limits;
    // What was lost must not be waited for by each request anew.
    if (this.lost) await this.assertLives(lostAnswerMs, lostAnswerMs / 1000);
    const work = call();
    work.catch(() => undefined);
    let waitedMs = 0;
    for (let next = tellMs; ; next = lookMs) {
      const answer = await within(work, next);
      if (answer !== LATE) return answer as T;
      waitedMs += next;
      const seconds = Math.round(waitedMs / 1000);
      if (!silent)
        this.tell(`still waiting for the engine at ${this.address}, which is to ${what} (${seconds} s)`);
      if (next === tellMs) continue;
      await this.assertLives(answerMs, seconds);
      if (waitedMs >= totalMs) throw new Error(`it took longer than ${seconds} s`);
    }
  }
}
