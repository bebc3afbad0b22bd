/** Stacks of Go that PID 1 walks over all of Go's own, each compared with the traceback that Go prints. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { buildGo, NO_GO, namesOf, offsetsOf, runToCrash, symbolsOf } from '../support/walked.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/walks');

/** What fixtures/walks/go/main.go calls, from what failed to the goroutine's beginning. */
const MAIN = ['main.middle', 'main.main', 'runtime.main', 'runtime.goexit'];
const CALLS: [how: string, below: string, functions: string[]][] = [
  ['leaf', 'runtime.sigpanic', ['main.leaf', ...MAIN]],
  ['method', 'runtime.sigpanic', ['main.square.area', 'main.measure', ...MAIN]],
  ['closure', 'runtime.sigpanic', ['main.leaf', ...MAIN]],
  ['deferred', 'runtime.sigpanic', ['main.leaf', 'main.middle.func3', ...MAIN]],
  ['copy', 'runtime.sigpanic', ['runtime.memmove', ...MAIN]],
  ['goroutine', 'runtime.sigpanic', ['main.leaf', 'main.middle.func1', 'runtime.goexit']],
  ['map', 'runtime.gopanic', ['runtime.mapassign_faststr', ...MAIN]],
  ['index', 'runtime.gopanic', ['runtime.goPanicIndex', ...MAIN]],
  ['panic', 'runtime.gopanic', MAIN],
  ['deadlock', 'runtime.checkdead', []],
  ['overflow', 'runtime.morestack', ['main.recursive', 'main.recursive']],
];

const CGO = ['main.middle', 'main.main', 'runtime.main', 'runtime.goexit'];
const C_CALLS: [how: string, below: string, functions: string[]][] = [
  [
    'c',
    'runtime.sigpanic',
    ['Cfunc_in_c', 'runtime.asmcgocall', 'runtime.cgocall', 'main._Cfunc_in_c', ...CGO],
  ],
  ['go', 'runtime.cgocallback', ['runtime.cgocall', 'main._Cfunc_through_c', ...CGO]],
];

const BUILDS: [title: string, flags: string[]][] = [
  ['not position-independent', []],
  ['position-independent', ['-buildmode=pie']],
];

/** Function and distance of the program's own frames, as Go prints the crashed goroutine. */
function traceback(stderr: string): string[] {
  const goroutine = /^goroutine \d+ .*\[(?:running|syscall).*\]:\n((?:.+\n)+)/m.exec(stderr)?.[1] ?? '';
  // What was inlined has no arguments, and a function's first instruction no distance.
  return [...goroutine.matchAll(/^(main\.\S+?)\((?!\.\.\.\)).*\)\n\t\S+:\d+(?: (\+0x[0-9a-f]+))?/gm)].map(
    ([, name, distance]) => `${name}${distance ?? '+0x0'}`,
  );
}

if (NO_GO) console.log(`walks of Go: ${NO_GO}`);
describe.skipIf(NO_GO !== '')('stacks of Go', () => {
  beforeAll(() => {
    process.env.GOTRACEBACK = 'crash';
  });

  describe.each(BUILDS)('%s', (_title, flags) => {
    const program = NO_GO ? '' : buildGo(join(FIXTURES, 'go'), ...flags);
    const symbols = NO_GO ? undefined : symbolsOf(program);

    it.each(CALLS)('%s', (how, below, functions) => {
      const { crash, stderr } = runToCrash(program, [how]);
      const names = namesOf(crash, program, symbols);
      const at = names.indexOf(below) + 1;
      expect(at).toBeGreaterThan(0);
      expect(names.slice(at, at + functions.length)).toEqual(functions);
      expect(crash.walk_ended).toBe(how === 'overflow' ? 'limit' : 'outermost');
      // An instruction that was interrupted, and no return address, is below sigpanic alone.
      expect(crash.frames[at]?.by === 'signal_frame').toBe(below === 'runtime.sigpanic');
      const theirs = traceback(stderr);
      const ours = offsetsOf(crash, program, symbols!).filter((frame) => /^main\./.test(frame));
      if (how !== 'deadlock' && how !== 'overflow') expect(ours).toEqual(theirs);
    });

    it('stripped of all symbols, by the table that Go itself needs', () => {
      const stripped = buildGo(join(FIXTURES, 'go'), ...flags, '-ldflags=-s -w');
      const places = (path: string): unknown[] =>
        runToCrash(path, ['leaf']).crash.frames.map(({ offset }) => offset);
      expect(places(stripped)).toHaveLength(places(program).length);
      expect(runToCrash(stripped, ['leaf']).crash.walk_ended).toBe('outermost');
    });

    // Its sections are left under names that are cut, so that the table is not found by its name.
    it('stripped by llvm-objcopy', () => {
      const stripped = `${program}-stripped`;
      execFileSync('llvm-objcopy-19', ['--strip-all', program, stripped]);
      const { crash } = runToCrash(stripped, ['leaf']);
      expect(crash.frames).toHaveLength(runToCrash(program, ['leaf']).crash.frames.length);
      expect(crash.walk_ended).toBe('outermost');
    });
  });

  describe.each([
    ...BUILDS,
    ['static', ['-ldflags=-linkmode external -extldflags -static']] as [string, string[]],
  ])('with C, %s', (_title, flags) => {
    const program = NO_GO ? '' : buildGo(join(FIXTURES, 'cgo'), ...flags);
    it.each(C_CALLS)('%s', (how, below, functions) => {
      const { crash } = runToCrash(program, [how]);
      const names = namesOf(crash, program).map((name) => name.replace(/^_cgo_[0-9a-f]+_/, ''));
      const at = names.indexOf(below) + 1;
      expect(at).toBeGreaterThan(0);
      expect(names.slice(at)).toEqual(functions);
      expect(crash.walk_ended).toBe('outermost');
    });
  });
});
