/** Stacks that PID 1 walks to their end, each compared with the calls that stand in the program's source. */
import { describe, expect, it } from 'vitest';

import { NO_NAME_SPACES } from '../support/first-process.ts';
import { compileCalls, crashOf, namesOf, symbolsOf } from '../support/walked.ts';

/** What fixtures/walks/calls.c calls, innermost first, up to `middle`; libc's own frames stand for themselves. */
const CALLS: [how: string, functions: string[]][] = [
  ['leaf', ['leaf']],
  ['null', ['null', 'to_null']],
  ['data', ['numbers', 'to_data']],
  ['first', ['first']],
  ['behind', ['behind']],
  ['room', ['leaf', 'with_room']],
  ['realigned', ['leaf', 'realigned']],
  ['tail', ['leaf', 'tail']],
  ['jumped', ['leaf', 'jumped']],
  // No table knows these: their instructions do.
  ['silent', ['silent']],
  ['pushed', ['leaf', 'leaf_of_pushed', 'pushed']],
  ['made', ['leaf', 'anonymous', 'made']],
];

/** The kernel's signal frame, and what was interrupted: at a first instruction, behind a call, where there is no code. */
const HANDLED: [how: string, functions: string[]][] = [
  ['caught', ['handler', 'first', 'caught']],
  ['caught-null', ['handler', 'null', 'to_null', 'caught']],
  ['caught-behind', ['handler', 'behind', 'caught']],
];

const BUILDS: [title: string, compiler: 'gcc' | 'musl-gcc', flags: string[]][] = [
  ['glibc', 'gcc', ['-O2']],
  ['glibc, static, which has no PT_GNU_EH_FRAME', 'gcc', ['-O2', '-static']],
  ['glibc, static and position-independent', 'gcc', ['-O1', '-static-pie', '-fPIE']],
  [
    'glibc, not position-independent, with all that is unused left out',
    'gcc',
    ['-O2', '-no-pie', '-Wl,--gc-sections'],
  ],
  [
    'only .debug_frame, no frame pointer',
    'gcc',
    ['-O2', '-g', '-fno-asynchronous-unwind-tables', '-fomit-frame-pointer'],
  ],
  ['musl, static', 'musl-gcc', ['-O2', '-static']],
  ['musl, static, without optimisation', 'musl-gcc', ['-O0', '-static']],
];

if (NO_NAME_SPACES) console.log(`walks: ${NO_NAME_SPACES}`);
describe.skipIf(NO_NAME_SPACES !== '')('stacks that are walked to their end', () => {
  describe.each(BUILDS)('%s', (_title, compiler, flags) => {
    const program = compileCalls(compiler, ...flags);
    const symbols = symbolsOf(program);

    it.each(CALLS)('%s', (how, functions) => {
      const names = namesOf(crashOf(program, [how]), program, symbols);
      expect(names.slice(0, functions.length + 2)).toEqual([...functions, 'middle', 'main']);
    });

    it.each(HANDLED)('%s: what a signal interrupted', (how, functions) => {
      const crash = crashOf(program, [how]);
      const names = namesOf(crash, program, symbols);
      const handler = names.indexOf('handler');
      expect(names.slice(handler, handler + functions.length + 2)).toEqual([...functions, 'middle', 'main']);
      // The trampoline between them is no frame.
      const found = crash.frames.map(({ by }) => by);
      expect(found.indexOf('signal_frame')).toBe(handler + 1);
    });

    it.each([
      ['clock', 'the clock functions in the place of the kernel’s, which have no table'],
      ['copy', 'what libc has in assembler'],
      ['sorted', 'libc’s qsort, which called back'],
    ])('%s: through %s', (how) => {
      const crash = crashOf(program, [how]);
      expect(namesOf(crash, program, symbols)).toEqual(expect.arrayContaining(['middle', 'main', '_start']));
      expect(crash.walk_ended).toBe('outermost');
    });

    it('up to where the program began', () => {
      const crash = crashOf(program, ['leaf']);
      expect(namesOf(crash, program, symbols).at(-1)).toBe('_start');
      expect(crash.walk_ended).toBe('outermost');
    });
  });
});
