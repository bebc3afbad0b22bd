/** Programs that crash under this build of PID 1, without an engine, and the functions that its walk went through. */
import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';

import { findProgram } from '../../setup/packages.ts';
import { type Crash, type Crashes, parseCrashes } from '../../src/sandbox/crash.ts';
import { NO_NAME_SPACES, runAsFirst } from './first-process.ts';
import { tempFolder } from './world.ts';

/** The end of a name that a compiler gave to a part of a function. */
const PART = /\.(?:abi0|cold|constprop|isra|part)(?:\.\d+)*$/;
/** Why Go's stacks cannot be tried here, or ''. */
export const NO_GO: string =
  NO_NAME_SPACES || (findProgram('go') ? '' : 'NOT tested here, which needs go (Debian: golang-go)');

const INIT = join(import.meta.dirname, '../../harness/bin/init');

/** Compiles fixtures/walks/calls.c; the path of the program. */
export function compileCalls(compiler: 'gcc' | 'musl-gcc', ...flags: string[]): string {
  return compileC(compiler, join(import.meta.dirname, '../../fixtures/walks/calls.c'), ...flags);
}

/** Compiles one file of C into a folder that all users can read; the path of the program. */
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

/** All crashes of `program how`, as PID 1 recorded them, undefined where nothing crashed; and what the program said. */
function run(program: string, how: string[], more: string[]): { crashes?: Crashes; stderr: string } {
  const { stderr } = runAsFirst(INIT, [program, ...how], 1, { more });
  const record = /^\{"program":.*\}$/m.exec(stderr)?.[0];
  return record === undefined ? { stderr } : { crashes: parseCrashes(Buffer.from(record, 'latin1')), stderr };
}

/** All crashes of `program how`, as PID 1 recorded them; undefined where nothing crashed. */
export function crashesOf(program: string, how: string[], more: string[] = []): Crashes | undefined {
  return run(program, how, more).crashes;
}

/** The crash of `program how` itself, and what it said. */
export function runToCrash(program: string, how: string[]): { crash: Crash; stderr: string } {
  const { crashes, stderr } = run(program, how, []);
  if (!crashes?.program)
    throw new Error(`${program} ${how.join(' ')} did not crash:\n${stderr.slice(0, 500)}`);
  return { crash: crashes.program, stderr };
}

/** The crash of `program how` itself. */
export function crashOf(program: string, how: string[], more: string[] = []): Crash {
  const crash = crashesOf(program, how, more)?.program;
  if (!crash) throw new Error(`${program} ${how.join(' ')} did not crash`);
  return crash;
}

/** Builds a package of Go in a folder that all users can read; the path of the program. */
export function buildGo(package_: string, ...flags: string[]): string {
  const folder = tempFolder();
  chmodSync(folder, 0o755);
  const program = join(folder, 'program');
  const env = { ...process.env, GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local' };
  execFileSync('go', ['build', ...flags, '-o', program, '.'], { cwd: package_, env, stdio: 'pipe' });
  return program;
}

/** How far each frame's address is into its function, by the function's name. */
export function offsetsOf(crash: Crash, program: string, symbols: Symbols): string[] {
  const names = namesOf(crash, program, symbols);
  return crash.frames.map(({ offset }, n) => {
    const start = symbols.functions.findLast(({ name }) => name.replace(PART, '') === names[n])?.address;
    return `${names[n]}+0x${(symbols.lowest + Number(offset) - start!).toString(16)}`;
  });
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
