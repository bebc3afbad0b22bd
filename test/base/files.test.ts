/** Folders that are made: of missing ones, and where the kernel says of each try that there is no such place. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';

import { makeFolder } from '../../src/base/files.ts';
import { tempFolder } from '../support/world.ts';

/** Below a folder of this name nothing can be made, as in some file systems of the kernel. */
const BARREN = 'barren';

vi.mock('node:fs/promises', async (load) => {
  const real = await load<typeof import('node:fs/promises')>();
  const answer = ((path: string, options?: object) =>
    path.includes(`${BARREN}/`)
      ? Promise.reject(Object.assign(new Error('no such place'), { code: 'ENOENT' }))
      : real.mkdir(path, options)) as typeof real.mkdir;
  return { ...real, mkdir: vi.fn(answer) };
});

beforeEach(() => {
  vi.mocked(mkdir).mockClear();
});

it('those above it too', async () => {
  const folder = join(tempFolder(), 'a/b/c');
  await makeFolder(folder);
  await makeFolder(folder);
  expect(existsSync(folder)).toBe(true);
});

it('one that cannot be made is said after a few tries, and Node’s recursive way, which would go on for ever, not asked', async () => {
  const barren = join(tempFolder(), BARREN);
  await makeFolder(barren);
  await expect(makeFolder(join(barren, 'x/y'))).rejects.toMatchObject({ code: 'ENOENT' });
  const calls = vi.mocked(mkdir).mock.calls;
  expect(calls.length).toBeLessThan(10);
  for (const [, options] of calls) expect(options).toBeUndefined();
});
