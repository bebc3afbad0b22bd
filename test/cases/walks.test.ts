/** Crashes whose stacks were walked wrongly, rebuilt from their sources: each replay's walk is that of a debugger. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { NO_NAME_SPACES } from '../support/first-process.ts';
import { describeReal } from '../support/real-cases.ts';
import { buildGo, compileC, crashOf, NO_GO, namesOf } from '../support/walked.ts';

interface Row {
  source: string;
  title: string;
  compiler: 'gcc' | 'musl-gcc';
  flags: string[];
  /** Of the program's own frames, innermost first. */
  names: string[];
  ended: 'outermost';
}

const ROWS: Row[] = [
  {
    source: '01-sig.c',
    title: 'a fault at a first instruction, under its handler',
    compiler: 'gcc',
    flags: ['-g', '-O1'],
    names: ['handler', 'first_insn', 'work', 'main', '_start'],
    ended: 'outermost',
  },
  {
    source: '13-static.c',
    title: 'a static program of glibc',
    compiler: 'gcc',
    flags: ['-g', '-O1', '-static'],
    names: ['mid', 'main', '__libc_start_call_main', '__libc_start_main_impl', '_start'],
    ended: 'outermost',
  },
  {
    source: '13-static.c',
    title: 'a static program of musl, which has tables of its own code alone',
    compiler: 'musl-gcc',
    flags: ['-g', '-O1', '-static'],
    names: ['mid', 'main', 'libc_start_main_stage2', '_start'],
    ended: 'outermost',
  },
  {
    source: '11-vdso.c',
    title: 'a fault in the clock functions, which cost a frame in the kernel’s page',
    compiler: 'gcc',
    flags: ['-g', '-O1'],
    names: ['kernel', 'ask', 'main', '_start'],
    ended: 'outermost',
  },
];

describeReal('traces', (folder) => {
  describe.skipIf(NO_NAME_SPACES !== '')(`walks of replays ${NO_NAME_SPACES}`, () => {
    it.each(ROWS)('$source, $title', ({ source, compiler, flags, names, ended }) => {
      const program = compileC(compiler, join(folder, source), ...flags);
      const crash = crashOf(program, []);
      expect(namesOf(crash, program).filter((name) => !name.includes('.so'))).toEqual(names);
      expect(crash.walk_ended).toBe(ended);
    });
  });
});

describeReal('discovery/5-go-sigpanic', (folder) => {
  it.skipIf(NO_GO !== '')(`the faulting instruction, its caller and main, below sigpanic ${NO_GO}`, () => {
    process.env.GOTRACEBACK = 'crash';
    const program = buildGo(folder);
    const crash = crashOf(program, []);
    const names = namesOf(crash, program);
    const at = names.indexOf('runtime.sigpanic') + 1;
    const main = ['main.main', 'runtime.main', 'runtime.goexit'];
    expect(names.slice(at)).toEqual(['main.culprit', 'main.caller', ...main]);
    expect(crash.frames[at]).toMatchObject({ by: 'signal_frame' });
    expect(crash.walk_ended).toBe('outermost');
  });
});
