/** The --out folder of one manifest's run: each finished replay at once, the record last; a cut run is resumed. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

import { canonicalDigest } from '../base/canonical-json.ts';
import { type Digest, hexOf } from '../base/digest.ts';
import { asFault } from '../base/fault.ts';
import { writeWhole } from '../base/files.ts';
import { formatOwner, isDead, thisOwner } from '../base/owner.ts';
import type { RawReplay } from '../verdict/decide.ts';

/** Holds the lock file unless a living process does; a dead one's lock is taken over. */
function tryLock(path: string): boolean {
  const here = thisOwner();
  for (let tries = 0; tries < 2; tries++) {
    try {
      const fd = openSync(path, 'wx');
      writeSync(fd, formatOwner(here));
      closeSync(fd);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const owner = readFileSync(path, 'utf8');
      if (!isDead(owner, here)) return false;
      rmSync(path, { force: true });
    }
  }
  return false;
}

export class RunFolder {
  readonly path: string;
  private readonly replays: string;
  /** Everything that a replay's result depends on beside the manifest: results with other values are not reused. */
  private circumstances: Digest;
  private constructor(path: string, circumstances: Digest) {
    this.path = path;
    this.replays = join(path, 'replays');
    this.circumstances = circumstances;
  }

  /** Opens the manifest's folder below `out`, or a further one while another runner is at work there. */
  static open(out: string, manifest: Digest, circumstances: unknown): RunFolder {
    try {
      for (let copy = 1; ; copy++) {
        const path = join(out, 'runs', `${hexOf(manifest).slice(0, 16)}${copy > 1 ? `-${copy}` : ''}`);
        mkdirSync(join(path, 'replays'), { recursive: true });
        if (tryLock(join(path, 'lock'))) return new RunFolder(path, canonicalDigest(circumstances));
      }
    } catch (error) {
      throw asFault('out_failed', `cannot write to ${out}`, error);
    }
  }

  /** Results of another kind of machine are not reused either: where something is missing, they hold on that kind alone. */
  tieTo(machine: unknown): void {
    this.circumstances = canonicalDigest([this.circumstances, machine]);
  }

  /** Replays that a run which was cut off had finished. A run that has its record starts afresh; the old record is kept. */
  resume(): RawReplay[] {
    const record = join(this.path, 'record.json');
    if (existsSync(record)) {
      renameSync(record, join(this.path, 'previous.json'));
      rmSync(this.replays, { recursive: true });
      mkdirSync(this.replays);
      return [];
    }
    const found: RawReplay[] = [];
    for (const name of readdirSync(this.replays).filter((file) => /^\d+\.json$/.test(file))) {
      const kept = JSON.parse(readFileSync(join(this.replays, name), 'utf8')) as {
        circumstances: Digest;
        replay: RawReplay;
      };
      // A failure of the infrastructure is no result: it is replayed again.
      if (kept.circumstances === this.circumstances && !kept.replay.error) found.push(kept.replay);
    }
    return found;
  }

  async keep(replay: RawReplay): Promise<void> {
    const text = `${JSON.stringify({ circumstances: this.circumstances, replay })}\n`;
    // Not synced: a killed runner loses nothing by that, and a power cut only what can be replayed again.
    await this.write(join(this.replays, `${String(replay.index).padStart(6, '0')}.json`), text, false);
  }

  async finish(record: unknown): Promise<string> {
    const path = join(this.path, 'record.json');
    await this.write(path, `${JSON.stringify(record, null, 2)}\n`, true);
    return path;
  }

  private async write(path: string, text: string, durable: boolean): Promise<void> {
    try {
      await writeWhole(path, text, durable);
    } catch (error) {
      throw asFault('out_failed', `cannot write ${path}`, error);
    }
  }

  close(): void {
    rmSync(join(this.path, 'lock'), { force: true });
  }
}
