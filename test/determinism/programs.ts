/** The programs of fixtures/determinism: what each one's first line says of it, and its executable. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import pLimit from 'p-limit';
import { cacheFolder } from '../../src/base/cache-folder.ts';
import { exec } from '../../src/base/exec.ts';

const FOLDER = join(import.meta.dirname, '../../fixtures/determinism');

/**
 * What is expected of replays: the same each time; the same, with nothing given that must be refused; an honest
 * "cannot tell"; or either that or the same.
 */
export type Expected = 'identical' | 'refused' | 'inconclusive' | 'either';

export interface Program {
  name: string;
  /** The line of docs/determinism.md's sources that it is about. */
  source: number;
  about: string;
  expected: Expected;
  /** Linked with a loader, where addresses differ that a static program does not have. */
  dynamic: boolean;
  text: string;
}

const FIRST_LINE =
  /^\/\* (?<source>\d+) (?<items>[^:()]+?)(?: \((?<expected>refused|inconclusive|either)\))?(?: \[(?<how>dynamic)\])?: (?<idea>.+) \*\/\n/;

/** Reads what a program's first line says; a program without such a line is a mistake. */
export function parseProgram(name: string, text: string): Program {
  const found = FIRST_LINE.exec(text)?.groups;
  if (!found) throw new Error(`${name}: the first line must be like "/* 1 time: what it is about. */"`);
  return {
    name,
    source: Number(found.source),
    about: found.items!,
    expected: (found.expected as Expected | undefined) ?? 'identical',
    dynamic: found.how === 'dynamic',
    text,
  };
}

/** Every program of the fixtures, by source, then name. */
export function fixturePrograms(): Program[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.c'))
    .map((file) => parseProgram(basename(file, '.c'), readFileSync(join(FOLDER, file), 'utf8')))
    .sort((a, b) => a.source - b.source || (a.name < b.name ? -1 : 1));
}

const STRICT = ['-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-pedantic', '-O1'];

/** Compiles, or finds what was compiled before from the same text; returns the executable's bytes. */
async function compile(program: Program, folder: string): Promise<Buffer> {
  const flags = [...STRICT, program.dynamic ? '-fPIE' : '-static'];
  const headers = ['say.h', 'notes.h', 'racy.h', 'waits.h'].map((file) =>
    readFileSync(join(FOLDER, file), 'utf8'),
  );
  const key = createHash('sha256').update(JSON.stringify([flags, headers, program.text]));
  const path = join(folder, `${program.name}-${key.digest('hex').slice(0, 16)}`);
  if (!existsSync(path)) {
    const source = `${path}.${process.pid}.c`;
    writeFileSync(source, program.text);
    const args = [...flags, '-I', FOLDER, '-o', `${path}.${process.pid}`, source, '-lm'];
    const { exitCode, stderr } = await exec('musl-gcc', args, { timeoutMs: 120_000, outputBytes: 1 << 20 });
    if (exitCode !== 0) throw new Error(`${program.name} does not compile:\n${stderr}`);
    rmSync(source);
    renameSync(`${path}.${process.pid}`, path);
  }
  return readFileSync(path);
}

/** The executables of all programs, in their order. */
export async function compileAll(programs: Program[]): Promise<Buffer[]> {
  const folder = join(cacheFolder(process.env), 'determinism');
  mkdirSync(folder, { recursive: true });
  const limit = pLimit(availableParallelism());
  return Promise.all(programs.map((program) => limit(() => compile(program, folder))));
}
