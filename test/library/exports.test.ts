/** Every value of the library has a type with a name: every type that a signature uses is exported, and none is a package's. */
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';

import { exec } from '../../src/base/exec.ts';
import { isPackage, reachable } from '../support/declarations.ts';
import { tempFolder } from '../support/world.ts';

const ROOT = join(import.meta.dirname, '../..');
const folder = tempFolder();

beforeAll(async () => {
  const args = ['-p', join(ROOT, 'tsconfig.build.json'), '--emitDeclarationOnly', '--outDir', folder];
  const built = await exec(join(ROOT, 'node_modules/.bin/tsc'), args, {
    timeoutMs: 100_000,
    outputBytes: 1 << 20,
  });
  expect(built.exitCode).toBe(0);
});

it('every type that an exported signature uses is exported', () => {
  const reached = reachable(folder);
  const hidden = reached
    .filter(({ file, exported, isValue }) => !exported && !isValue && !isPackage(folder, file))
    .map(({ file, name }) => `${file}: ${name}`);
  expect(hidden).toEqual([]);
  const names = reached.map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining(['Reenact', 'OpenOptions', 'ReplayRecord', 'Clock', 'Harness']),
  );
});

it('no type of a package is part of a signature, but for Node’s own', () => {
  const packages = reachable(folder).filter(({ file }) => isPackage(folder, file));
  expect(new Set(packages.map(({ file }) => file.split(':')[0]))).toEqual(new Set(['node']));
});
