/** Runs an outside program: no shell, a time-out, a limit on its output. */
import { closeSync, openSync, readSync, rmSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { execa } from 'execa';

import { systemClock } from './clock.ts';

export interface Finished {
  exitCode: number | null;
  stdout: Uint8Array;
  stderr: string;
}

/** Runs `file` to its end, with `env` beside our own environment; throws if it cannot be started, takes too long or prints too much. */
export async function exec(
  file: string,
  args: string[],
  o: { timeoutMs: number; outputBytes: number; env?: Record<string, string> },
): Promise<Finished> {
  const result = await execa(file, args, {
    encoding: 'buffer',
    timeout: o.timeoutMs,
    maxBuffer: o.outputBytes,
    stdin: 'ignore',
    ...(o.env ? { env: o.env } : {}),
    reject: false,
    stripFinalNewline: false,
  });
  if (result.timedOut || result.isMaxBuffer || result.exitCode === undefined)
    throw new Error(result.shortMessage ?? `${file} failed`, { cause: result.cause });
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: Buffer.from(result.stderr).toString() };
}

/** How often the output of a program is looked at while it runs. */
const LOOK_MS = 20;
const PIECE_BYTES = 1 << 20;

/**
 * Feeds `input` to `file`, which writes to `outputPath`, and passes its output on in pieces that are valid only during the call;
 * it is killed where `take` says false, or nothing came for `stallMs`. It gets `env`, and of our own environment only
 * PATH. Returns its exit status, null where a signal ended it. Only a program that cannot be started throws.
 */
export async function execAlong(
  file: string,
  args: string[],
  o: {
    input: Generator<string>;
    /** A new file: many small answers through a pipe would wake us for each of them. */
    outputPath: string;
    take: (piece: Buffer) => boolean;
    stallMs: number;
    cwd: string;
    env: Record<string, string>;
  },
): Promise<number | null> {
  const output = openSync(o.outputPath, 'wx+', 0o600);
  // The library's types allow only the first ten descriptors.
  const stdout = output as 1;
  const child = execa(file, args, {
    ...{ stdin: o.input, stdout, stderr: 'ignore', buffer: false, cwd: o.cwd, reject: false },
    ...{ env: { PATH: process.env.PATH ?? '', ...o.env }, extendEnv: false },
  });
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  let [at, heardMs, wanted] = [0, systemClock.monotonicMs(), true];
  const look = (): void => {
    while (wanted) {
      const n = readSync(output, buffer, 0, PIECE_BYTES, at);
      if (n === 0) break;
      [at, heardMs] = [at + n, systemClock.monotonicMs()];
      wanted = o.take(buffer.subarray(0, n));
    }
    if (!wanted || systemClock.monotonicMs() - heardMs > o.stallMs) child.kill('SIGKILL');
  };
  const looking = setInterval(look, LOOK_MS);
  try {
    const { exitCode, signal, shortMessage, cause } = await child;
    look();
    if (exitCode === undefined && signal === undefined)
      throw new Error(shortMessage ?? `${file} failed`, { cause });
    return exitCode ?? null;
  } finally {
    clearInterval(looking);
    closeSync(output);
    rmSync(o.outputPath);
  }
}

/** Runs `file` over `input` and yields its output as it comes; throws where it cannot be started, fails or takes too long. */
export async function* execThrough(
  file: string,
  args: string[],
  input: Readable,
  o: { timeoutMs: number },
): AsyncGenerator<Uint8Array> {
  const child = execa(file, args, {
    encoding: 'buffer',
    timeout: o.timeoutMs,
    input,
    buffer: { stdout: false, stderr: true },
    maxBuffer: { stderr: 65_536 },
    reject: false,
  });
  let finished = false;
  try {
    for await (const piece of child.stdout) yield piece as Uint8Array;
    finished = true;
  } finally {
    // A reader that stops early stops the program.
    if (!finished) child.kill('SIGKILL');
    await child;
  }
  const result = await child;
  if (input.errored) throw input.errored;
  if (!result.failed) return;
  const said = Buffer.from(result.stderr).toString().trim();
  throw new Error(said || (result.shortMessage ?? `${file} failed`), { cause: result.cause });
}
