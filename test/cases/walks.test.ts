/** Crashes whose stacks were walked wrongly, rebuilt from their sources: each replay's walk is that of a debugger. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { NO_NAME_SPACES } from '../support/first-process.ts';
import { describeReal } from '../support/real-cases.ts';
import { compileC, crashOf, namesOf } from '../support/walked.ts';

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
