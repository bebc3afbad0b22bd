/** PID 1's own timer, made to come every 100 us: no answer of a system call of PID 1 may depend on when it comes. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { NO_NAME_SPACES, runAsFirst } from '../support/first-process.ts';
import { tempFolder } from '../support/world.ts';

const ROOT = join(import.meta.dirname, '../..');
const PROGRAMS = ['ping-pong', 'poll', 'epoll', 'timerfd', 'socketpair'];
/** In fixtures/programs: single steps go through all that is done for them without a stop. */
const STEPPED = ['calls', 'counters'];

let folder: string;

/** As harness/build.sh builds it, but for how often the timer comes. */
function build(): void {
  cpSync(join(ROOT, 'harness'), join(folder, 'harness'), { recursive: true });
  const path = join(folder, 'harness/supervisor/ptrace/watch.c');
  const text = readFileSync(path, 'utf8');
  const often = text.replace('LOOK_EVERY_US = 20000', 'LOOK_EVERY_US = 100');
  expect(often).not.toBe(text);
  writeFileSync(path, often);
  execFileSync(join(folder, 'harness/build.sh'), [folder]);
  const fixtures = join(ROOT, 'fixtures/determinism');
  const sources = [
    ...PROGRAMS.map((name) => join(fixtures, `${name}.c`)),
    ...STEPPED.map((name) => join(ROOT, 'fixtures/programs', `${name}.c`)),
  ];
  for (const source of sources)
    execFileSync('musl-gcc', [
      ...['-std=c11', '-D_GNU_SOURCE', '-w', '-O1', '-static', '-I', fixtures],
      ...['-o', join(folder, basename(source, '.c')), source, '-lm'],
    ]);
  chmodSync(folder, 0o755);
}

if (NO_NAME_SPACES) console.log(`a timer that comes often: ${NO_NAME_SPACES}`);
describe.skipIf(NO_NAME_SPACES !== '')('with a timer that comes often', () => {
  beforeAll(() => {
    folder = tempFolder();
    build();
  }, 180_000);

  it.each([...PROGRAMS, ...STEPPED])('%s ends, and always prints the same', (name) => {
    const outputs = [1, 2, 3].map((round) => {
      const own = join(folder, `${name}-${round}`);
      mkdirSync(own);
      chmodSync(own, 0o777);
      const { ending, stdout } = runAsFirst(join(folder, 'init'), [join(folder, name), own], 7);
      expect(ending).toBe('kind=exit value=0');
      expect(stdout).not.toMatch(/^(?:beside|threads|child) [^0]/m);
      return stdout;
    });
    expect(new Set(outputs).size).toBe(1);
  });
});
