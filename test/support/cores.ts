/** Cores of small programs, made on the spot: compiled by gcc, written by gdb at the signal. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { NO_SOURCES, type ProgramSources } from '../../src/trace/core/program-files.ts';
import type { Thread, Trace } from '../../src/trace/model/trace.ts';
import { readTraceFile } from '../../src/trace/read-file.ts';

/** Compiles C; the program's path. */
export function compiled(folder: string, name: string, text: string, ...flags: string[]): string {
  mkdirSync(folder, { recursive: true });
  const [source, program] = [join(folder, `${name}.c`), join(folder, name)];
  writeFileSync(source, text);
  execFileSync('gcc', ['-g', '-O1', '-o', program, source, ...flags]);
  return program;
}

/** Runs it under gdb until a signal ends it, and writes its core there. */
export function coreOf(program: string, o: { args?: string[]; before?: string[] } = {}): string {
  const core = `${program}.core`;
  rmSync(core, { force: true });
  const commands = [...(o.before ?? []), 'run', `generate-core-file ${core}`, 'kill'];
  execFileSync(
    'gdb',
    ['-nx', '-batch', ...commands.flatMap((one) => ['-ex', one]), '--args', program, ...(o.args ?? [])],
    { stdio: 'ignore' },
  );
  return core;
}

export const hasGdb: boolean = existsSync('/usr/bin/gdb');

/** Read with these sources of programs. */
export async function readCore(path: string, sources: Partial<ProgramSources> = {}): Promise<Trace> {
  return await readTraceFile(path, [], { ...NO_SOURCES, ...sources });
}

/** The thread that crashed, else the first. */
export function first({ threads }: Trace): Thread {
  return threads.find(({ crashed }) => crashed) ?? threads[0]!;
}

/** In a few words: how many frames, and how the walk ended. */
export function endOf(trace: Trace): string {
  const { frames, ended } = first(trace);
  return `${frames.length} ${ended!.outermost ? 'outermost' : ended!.reason}`;
}
