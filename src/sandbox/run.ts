/** Runs one sandbox container from created to ended; its file system is still there for the capture. */

import { statfsSync } from 'node:fs';
import { sleep } from '../base/clock.ts';
import { Fault } from '../base/fault.ts';
import { LIMITS } from '../base/limits.ts';
import type { BlobStore } from '../store/blobs.ts';
import type { Crashes } from './crash.ts';
import type { Engine } from './engine.ts';
import { obstacleOf } from './obstacle.ts';
import { type CollectedOutput, OutputSink } from './output.ts';
import { StderrSink, type Word } from './stderr.ts';
import { KEY_BYTES, newKey, signalName, type Trailer } from './trailer.ts';

export type Ended =
  | 'exit'
  | 'signal'
  | 'timeout'
  | 'oom'
  | 'output_limit'
  | 'write_limit'
  | 'exec_failed'
  | 'unsupported'
  | 'indeterminate_spin';

export interface Ending {
  ended: Ended;
  exitCode: number | null;
  signal: string | null;
  /** Why it could not be executed, or its run not be trusted. */
  obstacle: string | undefined;
  durationMs: number;
  /** Changes the archive API cannot show; -1 when not looked for. */
  hidden: number;
  stdout: CollectedOutput;
  stderr: CollectedOutput;
  /** Where signals ended the program and other processes, when PID 1 supervised them and could see that. */
  crashes: Crashes | undefined;
  /** Places of the program's text that may hold an instruction to rewrite, and are not proven to. */
  unproven: number;
  /** The event log, where it was asked for. */
  log: Buffer | undefined;
}

export interface ContainerRunOptions {
  store: BlobStore;
  timeoutMs: number;
  outputBytes: number;
  /** Size of everything written so far, in bytes, where it can be seen; asked every now and then. */
  writtenBytes?: () => Promise<number>;
  signal: AbortSignal;
}

type Cut = 'output_limit' | 'write_limit' | 'timeout' | 'interrupted';

/** Kills the container for the first reason that comes up, and remembers which it was. */
class Watch {
  cut: Cut | undefined;
  /** Rejects when the container cannot be ended. */
  readonly failed: Promise<never>;
  private fail: (error: unknown) => void = () => undefined;
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly engine: Engine;
  private readonly id: string;
  private readonly o: ContainerRunOptions;
  private readonly stop = (): void => this.kill('interrupted');
  constructor(engine: Engine, id: string, o: ContainerRunOptions) {
    this.engine = engine;
    this.id = id;
    this.o = o;
    this.failed = new Promise((_, reject) => {
      this.fail = reject;
    });
    this.failed.catch(() => undefined);
  }

  begin(): void {
    this.timers.push(setTimeout(() => this.kill('timeout'), this.o.timeoutMs + LIMITS.timeoutGraceMs));
    const { writtenBytes } = this.o;
    if (writtenBytes)
      this.timers.push(setInterval(() => void this.measure(writtenBytes), LIMITS.writeWatchMs));
    this.o.signal.addEventListener('abort', this.stop, { once: true });
  }

  private async measure(writtenBytes: () => Promise<number>): Promise<void> {
    try {
      if ((await writtenBytes()) > LIMITS.stateBytes) this.kill('write_limit');
    } catch {
      // The folders change under the walk; the check before hashing is the one that counts.
    }
  }

  kill(cut: Cut): void {
    if (this.cut) return;
    this.cut = cut;
    const late = new Fault(
      'engine_failed',
      `a container has not ended ${LIMITS.killedMs / 1000} s after it was killed`,
    );
    this.engine.kill(this.id).then(() => {
      this.timers.push(setTimeout(() => this.fail(late), LIMITS.killedMs));
    }, this.fail);
  }

  end(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.o.signal.removeEventListener('abort', this.stop);
  }
}

/** Disk space that ran out on our side must not look like something the program did. */
export function assertRoom(folder: string): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < 64 << 20) throw new Fault('disk_full', `less than 64 MiB are free in ${folder}`);
}

function endedBy(trailer: Trailer, oomKilled: boolean): Ended {
  if (trailer.kind !== 'exit' && trailer.kind !== 'signal') return trailer.kind;
  if (trailer.oom > 0 || (trailer.oom < 0 && oomKilled)) return 'oom';
  if (trailer.kind === 'signal') return signalName(trailer.value) === 'SIGXFSZ' ? 'write_limit' : 'signal';
  return 'exit';
}

async function settle(
  engine: Engine,
  id: string,
  cut: Cut | undefined,
  word: Word | undefined,
): Promise<{ ended: Ended } & Partial<Word>> {
  if (cut === 'interrupted') throw new Fault('interrupted', 'interrupted');
  if (cut) return { ended: cut };
  if (word) {
    const oomKilled = word.trailer.oom < 0 && (await engine.inspect(id)).oomKilled;
    return { ended: endedBy(word.trailer, oomKilled), ...word };
  }
  const { oomKilled } = await engine.inspect(id);
  throw new Fault(
    'supervisor_lost',
    `PID 1 ended without its authenticated trailer${oomKilled ? ' (the kernel reports an out-of-memory kill)' : ''}`,
    undefined,
    oomKilled ? 'give the machine more memory, or run fewer replays at once' : LOST,
  );
}

/** The most likely cause where nothing shows that memory ran out. */
const LOST =
  'run it again; where no replay works, the engine did not hand PID 1 its key as it was sent (Podman 4.3 puts other bytes before it): use another engine';

/** Resolves when the engine no longer shows the container as running; not asked where its answer comes in time. */
async function hasEnded(engine: Engine, id: string, signal: AbortSignal): Promise<void> {
  do await sleep(LIMITS.endedLookMs, signal);
  while ((await engine.inspect(id)).running);
}

/** More bytes than a path, a loader and PATH need together. */
const MOST_SAID_BYTES = 16_384;

/** Where nothing of a guest has run, stderr holds the words of PID 1 alone (harness/not_started.c). */
async function saidBy({ kind }: Trailer, stderr: CollectedOutput, store: BlobStore): Promise<string> {
  if (kind !== 'exec_failed' || stderr.sizeBytes > MOST_SAID_BYTES) return '';
  return (await store.get(stderr.sha256))?.toString() ?? '';
}

/** Starts a created container and sees it to its end. Throws a Fault when the infrastructure failed. */
export async function runContainer(engine: Engine, id: string, o: ContainerRunOptions): Promise<Ending> {
  const key = newKey();
  if (key.length !== KEY_BYTES) throw new Error('key size');
  const stdout = new OutputSink(o.store);
  const stderr = new StderrSink(o.store, key);
  const watch = new Watch(engine, id, o);
  const answered = new AbortController();
  let outputFailure: unknown;
  // Attach and wait come before start: a quick program would be over before either was there.
  const attachment = await engine.attach(id, (stream, bytes) => {
    if (watch.cut || outputFailure) return;
    try {
      (stream === 'stdout' ? stdout : stderr).write(bytes);
    } catch (error) {
      outputFailure = error;
      watch.kill('interrupted');
    }
    if (stdout.sizeBytes + stderr.text.sizeBytes > o.outputBytes) watch.kill('output_limit');
  });
  try {
    const exited = engine.waitNextExit(id);
    exited.catch(() => undefined);
    await engine.start(id);
    watch.begin();
    if (o.signal.aborted) watch.kill('interrupted');
    attachment.sendInput(key);
    // An engine that took the wait up too late never answers it: then the end of the output says as much.
    const over = attachment.ended.then(() => hasEnded(engine, id, answered.signal));
    over.catch(() => undefined);
    await Promise.race([exited, over, watch.failed]).finally(() => answered.abort());
    // The engine reports the end before it has passed on all output.
    await Promise.race([attachment.rest(), watch.failed]);
    if (outputFailure instanceof Fault) throw outputFailure;
    if (outputFailure)
      throw new Fault(
        'disk_full',
        `cannot keep the program's output: ${String(outputFailure)}`,
        outputFailure,
      );
    const word = watch.cut ? undefined : await stderr.end();
    const { ended, trailer, crashes, log } = await settle(engine, id, watch.cut, word);
    if (!trailer) stderr.release();
    const text = await stderr.text.finish();
    return {
      ended,
      exitCode: trailer?.kind === 'exit' ? trailer.value : null,
      signal: trailer?.kind === 'signal' ? signalName(trailer.value) : null,
      obstacle: trailer && obstacleOf(trailer, await saidBy(trailer, text, o.store)),
      durationMs: trailer?.durationMs ?? o.timeoutMs,
      hidden: trailer?.hidden ?? -1,
      unproven: trailer?.unproven ?? 0,
      stdout: await stdout.finish(),
      stderr: text,
      crashes: ended === 'signal' || ended === 'exit' ? crashes : undefined,
      log,
    };
  } finally {
    watch.end();
    attachment.close();
    stdout.discard();
    stderr.discard();
  }
}
