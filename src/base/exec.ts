/** Runs an outside program: no shell, a time-out, a limit on its output. */
import { execa } from 'execa';

export interface Finished {
  exitCode: number | null;
  stdout: Uint8Array;
  stderr: string;
}

/** Runs `file` to its end, with `env` beside our own environment; a program that cannot be started, takes too long or says too much throws. */
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
