/** The supervisor under AddressSanitizer and UndefinedBehaviorSanitizer: at its work, and against calls that make no sense. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { NO_NAME_SPACES, type Ran, runAsFirst } from '../support/first-process.ts';
import { tempFolder } from '../support/world.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Runs of scramble, 2,000 calls each; a thousand took some minutes and found nothing. */
const SEEDS = Array.from({ length: 8 }, (_, i) => i + 1);

let folder: string;

function build(): void {
  // The same steps as harness/build.sh, with another compiler: musl has no sanitizers.
  const script = readFileSync(join(ROOT, 'harness/build.sh'), 'utf8')
    .replace('cd "$(dirname "$0")"', `cd '${folder}/harness'`)
    .replaceAll('"-Wa,-I,$parts" -o "$parts/$program"', '"-Wa,-I,$parts" $sanitized -o "$parts/$program"')
    .replace('  musl-gcc $strict -static', '  gcc -std=gnu11 -O1 -g')
    .replace('for program in init scan', 'for program in init');
  cpSync(join(ROOT, 'harness'), join(folder, 'harness'), { recursive: true });
  writeFileSync(join(folder, 'build.sh'), script);
  const sanitized = '-w -fsanitize=address,undefined -fno-sanitize-recover=all';
  execFileSync('sh', ['build.sh', folder], { cwd: folder, env: { ...process.env, sanitized } });
  for (const name of ['processes', 'races', 'entropy', 'crash', 'lost', 'scramble', 'instructions'])
    execFileSync('musl-gcc', [
      ...['-std=gnu11', '-O1', '-static', '-o', join(folder, name)],
      join(ROOT, 'fixtures/programs', `${name}.c`),
    ]);
  const read = [
    'supervisor/crash/unwind/unwind.c',
    'supervisor/crash/unwind/unwind_entry.c',
    'supervisor/crash/unwind/unwind_search.c',
    'supervisor/crash/unwind/tables.c',
    'supervisor/crash/unwind/cfa.c',
    'supervisor/crash/unwind/level.c',
    'supervisor/crash/unwind/expression.c',
    'supervisor/crash/unwind/stack.c',
    'supervisor/crash/maps.c',
    'supervisor/crash/unwind/go_lines.c',
    'supervisor/crash/unwind/go_stack.c',
    'supervisor/crash/unwind/functions.c',
    'supervisor/crash/unwind/elf_note.c',
    'supervisor/crash/unwind/elf_file.c',
    'supervisor/crash/unwind/names.c',
    'supervisor/arch/x86_64/x86_64.c',
    'supervisor/arch/x86_64/x86_64_unwind.c',
    'supervisor/arch/x86_64/x86_64_return.c',
    'supervisor/arch/x86_64/x86_64_length.c',
    'supervisor/arch/x86_64/x86_64_narrow.c',
    'common/sha256.c',
  ];
  const harness = join(folder, 'harness');
  execFileSync('gcc', [
    ...[
      '-std=gnu11',
      '-O1',
      '-g',
      ...sanitized.split(' '),
      '-iquote',
      harness,
      '-iquote',
      join(harness, 'supervisor'),
      '-Wl,--build-id',
    ],
    ...['-o', join(folder, 'readers'), join(ROOT, 'fixtures/readers/readers.c')],
    ...read.map((name) => join(harness, name)),
  ]);
  chmodSync(folder, 0o755);
}

function run(program: string[], seed: number, more: string[] = [], timeoutMs = 60_000): Ran {
  const [name, ...args] = program;
  return runAsFirst(join(folder, 'init'), [join(folder, name!), ...args], seed, { more, timeoutMs });
}

if (NO_NAME_SPACES) console.log(`sanitized supervisor: ${NO_NAME_SPACES}`);
describe.skipIf(NO_NAME_SPACES !== '')('under the sanitizers', () => {
  beforeAll(() => {
    folder = tempFolder();
    build();
  }, 180_000);

  it.each([
    ['processes', 'kind=exit value=0'],
    ['races lock', 'kind=exit value=0'],
    ['entropy', 'kind=exit value=0'],
    ['lost', 'kind=exit value=0'],
    ['crash', 'kind=signal value=11'],
  ])('%s ends as it does without, with turns in order and by chance', (program, ending) => {
    for (const more of [[], ['--chaos']]) {
      const done = run(program.split(' '), 1, ['--core', '--log', ...more]);
      expect(done.stderr).not.toMatch(/runtime error|AddressSanitizer/);
      expect(done.ending).toBe(ending);
    }
  });

  it('calls that make no sense never take it down', () => {
    for (const seed of SEEDS) {
      const more = [...(seed % 2 ? ['--log'] : []), ...(seed % 4 < 2 ? ['--without', 'cpuid_trap'] : [])];
      const done = run(['scramble', String(seed), '10'], seed, more, 5000);
      expect(done.stderr).not.toMatch(/runtime error|AddressSanitizer/);
      // A child may have blocked its alarm and then wait for ever, which only the time limit ends.
      expect(done.ending).toMatch(/^kind=(exit value=0|unsupported|timeout)/);
    }
  });

  it('code that is written over and made at run time is looked through within its bounds', () => {
    const done = run(['instructions'], 1, ['--without', 'cpuid_trap']);
    expect(done.stderr).not.toMatch(/runtime error|AddressSanitizer/);
    expect(done.ending).toBe('kind=exit value=0');
  });

  it('mangled ELF headers, notes, unwind tables, stacks and symbols are read within their bounds', () => {
    for (const seed of [1, 2, 3]) {
      const done = spawnSync(join(folder, 'readers'), [String(seed), '20000'], { encoding: 'utf8' });
      expect(done.stderr).toBe('');
      const found = /^(\d+) build-ids, (\d+) rules, (\d+) frames, (\d+) names\n$/.exec(done.stdout);
      // Mangled beyond all reading would test nothing.
      for (const count of found!.slice(1, 4)) expect(Number(count)).toBeGreaterThan(10_000);
      expect(Number(found![4])).toBeGreaterThan(50);
    }
  });
});
