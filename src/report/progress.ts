/** Progress on stderr: replays done, divergences, ratio, time left; a bar on a terminal, plain lines elsewhere. */
import type { Clock } from '../base/clock.ts';
import type { RunEvent } from '../replay/events.ts';

export type ProgressMode = 'auto' | 'bar' | 'plain' | 'none';

const PLAIN_EVERY_MS = 5_000;
const BAR_CELLS = 20;
/** So many replays behind the first of a manifest tell how long its others take. */
const TIMED = 3;

interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
}

export class Progress {
  private readonly mode: 'bar' | 'plain' | 'none';
  private readonly total: number;
  private readonly out: Output;
  private readonly clock: Clock;
  private done = 0;
  private matching = 0;
  private diverged = 0;
  private lastMs = 0;
  /** Manifests of which a replay has finished: one that is new may be faster or slower than those before. */
  private readonly manifests = new Set<string>();
  /** When the last manifest's first replay had finished, and how many have since: the time before it was spent on its image. */
  private sinceMs = 0;
  private since = 0;
  constructor(mode: ProgressMode, total: number, out: Output, clock: Clock) {
    this.mode = mode === 'auto' ? (out.isTTY ? 'bar' : 'plain') : mode;
    this.total = total;
    this.out = out;
    this.clock = clock;
  }

  on(event: RunEvent): void {
    if (event.type === 'swept' && this.mode !== 'none')
      this.line(`removed ${event.count} container(s) or volume(s) that a killed runner left behind`);
    if (event.type !== 'replay') return;
    this.done++;
    if (event.outcome === 'match') this.matching++;
    if (event.outcome === 'diverged') this.diverged++;
    this.time(event.manifest, event.resumed);
    this.show();
  }

  /** Replays of an earlier run took no time now, and say nothing of those to come. */
  private time(manifest: string, resumed: boolean): void {
    if (resumed) return;
    if (this.manifests.has(manifest)) this.since++;
    else {
      this.manifests.add(manifest);
      this.sinceMs = this.clock.monotonicMs();
      this.since = 0;
    }
  }

  /** Nothing until it is known how long these replays take. */
  private left(): string {
    if (this.done >= this.total) return ', done';
    if (this.since < TIMED) return '';
    const each = (this.clock.monotonicMs() - this.sinceMs) / this.since;
    return `, about ${Math.ceil((each * (this.total - this.done)) / 1000)} s left`;
  }

  private status(): string {
    const ratio = this.done > 0 ? (this.matching / this.done).toFixed(2) : '-';
    return `${this.done}/${this.total} replays, ${this.diverged} diverged, ratio ${ratio}${this.left()}`;
  }

  private line(text: string): void {
    this.out.write(this.mode === 'bar' ? `\r\u001b[K${text}\n` : `${text}\n`);
  }

  private show(): void {
    const now = this.clock.monotonicMs();
    if (this.mode === 'plain' && (this.done === this.total || now - this.lastMs >= PLAIN_EVERY_MS)) {
      this.lastMs = now;
      this.out.write(`${this.status()}\n`);
    }
    if (this.mode === 'bar') {
      const filled = Math.round((BAR_CELLS * this.done) / Math.max(1, this.total));
      this.out.write(`\r\u001b[K[${'#'.repeat(filled)}${'.'.repeat(BAR_CELLS - filled)}] ${this.status()}`);
    }
  }

  /** Leaves the terminal on a fresh line. */
  end(): void {
    if (this.mode === 'bar' && this.done > 0) this.out.write('\n');
  }
}
