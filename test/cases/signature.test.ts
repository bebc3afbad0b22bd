/** Which crash it was: fixtures/crash/ways.cpp in four builds, and what a verdict makes of crashes with one state. */
import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import type { FaultKind } from '../../src/manifest/crash-signature.ts';
import { type SignedCrash, signCrash } from '../../src/verdict/crash-signature.ts';
import { NO_NAME_SPACES } from '../support/first-process.ts';
import { describeReal } from '../support/real-cases.ts';
import { compileC, crashesOf, crashOf } from '../support/walked.ts';
import { tempFolder } from '../support/world.ts';

interface Way {
  way: string;
  signal: string;
  code: number;
  fault: FaultKind | null;
  /** The function that names the crash. */
  site: string;
  passed?: ('c_library' | 'runtime' | 'handler')[];
  walk?: 'cut';
}

const SIGSEGV = { signal: 'SIGSEGV', code: 1, fault: 'null' } as const;
const SENT = { signal: 'SIGABRT', code: -6, fault: null } as const;

const WAYS: Way[] = [
  { way: 'null', ...SIGSEGV, site: 'by_null' },
  { way: 'other-null', ...SIGSEGV, site: 'by_other_null' },
  { way: 'wild', ...SIGSEGV, fault: 'unmapped', site: 'by_wild' },
  { way: 'not-canonical', ...SIGSEGV, code: 128, fault: 'not_canonical', site: 'by_not_canonical' },
  { way: 'abort', ...SENT, site: 'by_abort', passed: ['c_library'] },
  { way: 'assert', ...SENT, site: 'by_assert', passed: ['c_library'] },
  { way: 'throw', ...SENT, site: 'by_throw', passed: ['c_library', 'runtime'] },
  { way: 'terminate', ...SENT, site: 'by_terminate', passed: ['c_library', 'runtime'] },
  { way: 'vector', ...SENT, site: 'by_vector', passed: ['c_library', 'runtime'] },
  { way: 'strlen', ...SIGSEGV, site: 'by_strlen', passed: ['c_library'] },
  { way: 'free', ...SENT, site: 'by_free', passed: ['c_library'] },
  { way: 'division', ...SIGSEGV, signal: 'SIGFPE', fault: 'module', site: 'by_division' },
  { way: 'trap', ...SIGSEGV, signal: 'SIGILL', code: 2, fault: 'module', site: 'by_trap' },
  { way: 'recursion', ...SIGSEGV, fault: 'stack_overflow', site: 'by_recursion', walk: 'cut' },
  { way: 'call', ...SIGSEGV, site: 'by_call' },
  { way: 'raise', ...SENT, signal: 'SIGSEGV', site: 'by_raise', passed: ['c_library'] },
  { way: 'sent', ...SENT, signal: 'SIGSEGV', code: 0, site: 'by_sent', passed: ['c_library'] },
  { way: 'callback', ...SIGSEGV, site: 'compare' },
  { way: 'handler', ...SENT, site: 'by_null', passed: ['handler'] },
  { way: 'in-handler', ...SIGSEGV, site: 'worse' },
  { way: 'thread', ...SIGSEGV, site: 'by_null' },
];

/** Of other processes: who crashed, by the first ones' functions, and how many more. */
const OTHERS: [string, string[], number][] = [
  ['child', ['by_null'], 0],
  ['grandchild', ['by_null'], 0],
  ['workers', ['by_null', 'by_abort'], 0],
  ['many', Array<string>(16).fill('by_abort'), 24],
];

const BUILDS: Record<string, string[]> = {
  'position-independent': ['-O1', '-pie'],
  'at a fixed address': ['-O1', '-no-pie'],
  static: ['-O1', '-static'],
  'without build-id': ['-O1', '-Wl,--build-id=none'],
};

const WAYS_SOURCE = join(import.meta.dirname, '../../fixtures/crash/ways.cpp');

function build(...flags: string[]): string {
  const folder = tempFolder();
  chmodSync(folder, 0o755);
  const program = join(folder, 'ways');
  execFileSync('g++', ['-Wno-stringop-overflow', ...flags, '-o', program, WAYS_SOURCE], { stdio: 'pipe' });
  return program;
}

function signed(program: string, way: string, more: string[] = []): SignedCrash {
  return signCrash(crashOf(program, [way], more));
}

describe.skipIf(NO_NAME_SPACES !== '')(`crash signatures ${NO_NAME_SPACES}`, () => {
  describe.each(Object.entries(BUILDS))('%s', (_name, flags) => {
    const program = build(...flags);
    const ids = new Map<string, string>();

    it.each(WAYS)(
      '$way is told as $signal in $site',
      ({ way, site, passed = [], walk = 'whole', ...kind }) => {
        const crash = signed(program, way);
        expect(crash).toMatchObject({ ...kind, signature: { walk } });
        expect(crash.site?.function?.name).toBe(site);
        const owners = Object.entries(crash.passed).filter(([, count]) => count > 0);
        expect(owners.map(([owner]) => owner)).toEqual(passed);
        expect(crash.signature.functions[0]).toBe(`ways!${site}`);
        expect(crash.signature.functions_id).not.toBeNull();
        ids.set(way, crash.signature.id);
      },
    );

    it('no two ways share a signature', () => {
      expect(ids.size).toBe(WAYS.length);
      expect(new Set(ids.values()).size).toBe(WAYS.length);
    });

    it('is the same with cpuid rewritten as with cpuid trapped', () => {
      for (const way of ['null', 'strlen', 'free', 'throw', 'handler'])
        expect(signed(program, way, ['--without', 'cpuid_trap']).signature.id).toBe(ids.get(way));
    });
  });

  it('a program that is built again keeps its functions, and nothing else', () => {
    const [before, after] = [build('-O1'), build('-O1', '-DREBUILT')];
    for (const way of ['null', 'abort', 'throw', 'strlen', 'handler']) {
      const [old, now] = [signed(before, way).signature, signed(after, way).signature];
      expect(now.functions_id).toBe(old.functions_id);
      expect(now.id).not.toBe(old.id);
    }
    expect(signed(after, 'null').signature.functions_id).not.toBe(
      signed(before, 'other-null').signature.functions_id,
    );
  });

  it('a stripped program has no functions, and a signature all the same', () => {
    const program = build('-O1', '-s');
    const { signature } = signed(program, 'abort');
    expect(signature).toMatchObject({ functions_id: null, walk: 'whole' });
    expect(signature.id).not.toBe(signed(program, 'assert').signature.id);
  });

  it.each(OTHERS)('other processes: %s', (way, sites, leftOut) => {
    const crashes = crashesOf(build('-O1'), [way])!;
    expect(crashes.program).toBeUndefined();
    expect(crashes.others.map((one) => signCrash(one).site?.function?.name)).toEqual(sites);
    expect(crashes.othersLeftOut).toBe(leftOut);
    for (const { process, core } of crashes.others)
      expect({ process, core }).toMatchObject({
        process: { program: expect.stringMatching(/\/ways$/) },
        core: null,
      });
  });

  it('a process that another one ended, and one that handled its signal, did not crash', () => {
    expect(crashesOf(build('-O1'), ['none'])).toBeUndefined();
  });
});

describeReal('crash', (folder) => {
  describe.skipIf(NO_NAME_SPACES !== '')(`programs of others ${NO_NAME_SPACES}`, () => {
    it.each([
      ['static-no-eh-frame-hdr.c', ['-O1', '-static', '-Wl,--no-eh-frame-hdr'], 'leaf'],
      ['two-sites.c', ['-O1'], '(?:a|b)'],
    ])('%s', (source, flags, site) => {
      const program = compileC('gcc', join(folder, source), ...flags);
      const one = signCrash(crashOf(program, []));
      expect(one.site?.function?.name).toMatch(new RegExp(`^${site}$`));
      for (const more of [[], ['--without', 'cpuid_trap']])
        expect(signCrash(crashOf(program, [], more)).signature.id).toBe(one.signature.id);
    });

    it('t8.c dies in a thread, wherever it is told how many there are', () => {
      const program = compileC('gcc', join(folder, 't8.c'), '-O1', '-pthread');
      expect(signCrash(crashOf(program, ['8'])).site?.function?.name).toBe('run');
    });
  });
});
