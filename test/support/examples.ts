/** The programs of examples/, compiled and run as a stranger's would be: in a project that has the package and nothing else. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { manifest, world, writeManifest } from './world.ts';

const ROOT = join(import.meta.dirname, '../..');
const PROGRAMS = ['audit-trace', 'custom-engine', 'policy-in-code', 'run-manifest', 'verify-bundle'];

const OPTIONS = {
  target: 'es2024',
  lib: ['es2024'],
  module: 'nodenext',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noEmit: true,
};

/** Describes the examples in the project that `folder` gives, once everything else there was tried. */
export function describeExamples(folder: () => string): void {
  /** What the compiler says of these files; Node's own types come with the package. */
  const compile = (...files: string[]): string => {
    const config = join(folder(), 'tsconfig.json');
    writeFileSync(config, JSON.stringify({ compilerOptions: OPTIONS, files }));
    return String(
      spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', config], { encoding: 'utf8' }).stdout,
    );
  };
  const run = (name: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [`${name}.ts`, ...args], { cwd: folder(), encoding: 'utf8' });

  describe('the examples', () => {
    beforeAll(() => {
      writeFileSync(join(folder(), 'package.json'), '{"private": true, "type": "module"}');
      for (const name of PROGRAMS)
        copyFileSync(join(ROOT, `examples/${name}.ts`), join(folder(), `${name}.ts`));
    });

    it('are five of 10 to 30 lines, each of which is run', () => {
      expect(globSync('*.ts', { cwd: join(ROOT, 'examples') }).sort()).toEqual(
        PROGRAMS.map((name) => `${name}.ts`),
      );
      for (const name of PROGRAMS) {
        const lines = readFileSync(join(ROOT, `examples/${name}.ts`), 'utf8')
          .trim()
          .split('\n').length;
        expect(lines).toBeGreaterThanOrEqual(10);
        expect(lines).toBeLessThanOrEqual(30);
      }
    });

    it('compile against the package alone', () => {
      expect(compile(...PROGRAMS.map((name) => `${name}.ts`))).toBe('');
    });

    it('and a program that misuses it does not', () => {
      writeFileSync(
        join(folder(), 'wrong.ts'),
        "import { openReenact } from 'reenact';\nexport const one: number = await openReenact({ store: 3 }).run('m.json');\n",
      );
      expect(compile('wrong.ts').match(/error TS2322/g)).toHaveLength(2);
    });

    it('verify a bundle, and refuse what is none', () => {
      const { status, stdout } = run('verify-bundle', 'case.tar');
      expect([status, stdout]).toEqual([0, expect.stringMatching(/^case\.tar: accepted\n {2}sha256:/)]);
      expect(run('verify-bundle', 'app')).toMatchObject({ status: 2 });
    });

    it('judge evidence by a policy in code', () => {
      expect(run('policy-in-code', 'team.pub', 'app', 'app.dsse.json')).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(/release-team[\s\S]*\nverified\n$/),
      });
      expect(run('policy-in-code', 'team.pub', 'trace.json', 'app.dsse.json').stdout).toMatch(
        /\nrejected: \w/,
      );
    });

    it('add a trace, audit it and say what is missing', () => {
      const { stdout, stderr } = run('audit-trace', 'trace.json');
      expect(stderr).toBe('');
      expect(stdout).toMatch(/^[\w:]+: 1 frames\n {2}0 \/bin\/pages\+\S+\n {2}join_completeness 0 FAILS\n/);
    });

    it.skipIf(!world)('replay a manifest, also on an engine of their own (skipped where none is)', () => {
      writeManifest(folder(), manifest('/bin/crash'), 'crash.json');
      expect(run('run-manifest', 'crash.json')).toMatchObject({
        status: 0,
        stdout: 'crash: reproduced, ratio 1\n',
        stderr: expect.stringContaining('replay 3: match\n'),
      });
      expect(run('run-manifest', 'nowhere.json')).toMatchObject({
        status: 64,
        stderr: expect.stringMatching(/^usage: [\s\S]*\n {2}next: /),
      });
      expect(run('custom-engine', 'crash.json').stdout).toMatch(
        /^reproduced on counted \S+, [1-9]\d* containers\n$/,
      );
    });
  });
}
