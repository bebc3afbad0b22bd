import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { tempFolder } from './support/world.ts';

const ROOT = join(import.meta.dirname, '..');

it('npm pack gives a package that works in an empty project', () => {
  const folder = tempFolder();
  const run = (file: string, args: string[], cwd: string): string =>
    execFileSync(file, args, {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, PATH: `${join(process.execPath, '..')}:${process.env.PATH}` },
    });
  run('npm', ['pack', '--pack-destination', folder], ROOT);
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  const project = tempFolder();
  writeFileSync(join(project, 'package.json'), '{"private": true}');
  run('npm', ['install', '--ignore-scripts', '--prefer-offline', join(folder, tarball!)], project);
  expect(run('npx', ['--no-install', 'reenact', '--help'], project)).toContain('usage: reenact');
  if (process.env.DOCKER_HOST)
    expect(run('npx', ['--no-install', 'reenact', 'doctor'], project)).toContain('replays are possible here');
  writeFileSync(
    join(project, 'library.mjs'),
    "import { manifestSchema } from 'reenact'; console.log(manifestSchema().title);",
  );
  expect(run(process.execPath, ['library.mjs'], project)).toBe('Reenact replay manifest\n');
});

it('the harness is built byte-identically', () => {
  const folder = tempFolder();
  execFileSync('harness/build.sh', [folder], { cwd: ROOT });
  for (const name of ['init', 'scan'])
    execFileSync('cmp', [join(folder, name), join(ROOT, 'harness/bin', name)]);
});
