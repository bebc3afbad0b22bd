/** Programs that crash under this build of PID 1, without an engine, and the functions that its walk went through. */
import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';

import { type Crash, type Crashes, parseCrashes } from '../../src/sandbox/crash.ts';
import { runAsFirst } from './first-process.ts';
import { tempFolder } from './world.ts';

/** The end of a name that a compiler gave to a part of a function. */
const PART = /\.(?:cold|constprop|isra|part)(?:\.\d+)*$/;
const INIT = join(import.meta.dirname, '../../harness/bin/init');

/** Compiles fixtures/walks/calls.c; the path of the program. */
export function compileCalls(compiler: 'gcc' | 'musl-gcc', ...flags: string[]): string {
  return compileC(compiler, join(import.meta.dirname, '../../fixtures/walks/calls.c'), ...flags);
}

/** Compiles one file of C into a folder that everybody can read; the path of the program. */
export function compileC(compiler: 'gcc' | 'musl-gcc', source: string, ...flags: string[]): string {
  const folder = tempFolder();
  chmodSync(folder, 0o755);
  const program = join(folder, 'program');
  execFileSync(compiler, [...flags, '-o', program, source], { stdio: 'pipe' });
  return program;
}

export interface Symbols {
  functions: { address: number; name: string }[];
  lowest: number;
}

/** Of the program as it was linked, before anything was stripped from it. */
export function symbolsOf(program: string): Symbols {
  const lines = execFileSync('nm', ['--defined-only', program], { encoding: 'utf8' }).split('\n');
  const functions = lines
    .flatMap((line) => {
      const [, address, name] = /^([0-9a-f]+) [bBdDtTwW] (.+)$/.exec(line) ?? [];
      return name === undefined ? [] : [{ address: Number.parseInt(address!, 16), name }];
    })
    .sort((a, b) => a.address - b.address);
  const headers = execFileSync('readelf', ['-lW', program], { encoding: 'utf8' });
  const loads = [...headers.matchAll(/LOAD +\S+ 0x([0-9a-f]+)/g)].map(([, hex]) => Number.parseInt(hex!, 16));
  return { functions, lowest: Math.min(...loads) & ~4095 };
}

/** All crashes of `program how`, as PID 1 recorded them; undefined where nothing crashed. */
export function crashesOf(program: string, how: string[], more: string[] = []): Crashes | undefined {
  const { stderr } = runAsFirst(INIT, [program, ...how], 1, { more });
  const record = /^\{"program":.*\}$/m.exec(stderr)?.[0];
  return record === undefined ? undefined : parseCrashes(Buffer.from(record, 'latin1'));
}

/** The crash of `program how` itself. */
export function crashOf(program: string, how: string[], more: string[] = []): Crash {
  const crash = crashesOf(program, how, more)?.program;
  if (!crash) throw new Error(`${program} ${how.join(' ')} did not crash`);
  return crash;
}

/** The function of each frame in the program itself, innermost first; of other frames the file's name or the area. */
export function namesOf(crash: Crash, program: string, symbols?: Symbols): string[] {
  const { functions, lowest } = symbols ?? symbolsOf(program);
  return crash.frames.map(({ area, module, offset, by }) => {
    if (module !== program) return module?.split('/').at(-1) ?? area;
    const exact = by === 'counter' || by === 'signal_frame';
    const address = lowest + Number(offset) - (exact ? 0 : 1);
    return functions.findLast((one) => one.address <= address)?.name.replace(PART, '') ?? '?';
  });
}
