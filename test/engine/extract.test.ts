/** Bundles of real states: unpacked, and compared with those of another run. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { describeEngine, manifest, reenact, tempFolder, writeManifest } from '../support/world.ts';

describeEngine('a bundle of a real run', () => {
  const run = [
    'echo made > out',
    'mkdir sub',
    'ln out sub/hard',
    'ln -s /etc/passwd link',
    'mkfifo pipe',
    'chmod 4755 out',
    `printf x > "$(printf "a\\\\377")"`,
    'echo said',
  ].join('; ');

  it('shows every kind of path, and says the same as the next run’s', { timeout: 60_000 }, async () => {
    const folder = tempFolder();
    writeManifest(folder, manifest(`sh -c '${run}'`, { replays: 2 }));
    for (const name of ['one', 'two']) {
      const args = ['run', 'm.json', '--out', name, '--bundle', `${name}.tar`];
      expect(await reenact(args, { cwd: folder })).toMatchObject({ status: 0 });
    }
    const dir = join(folder, 'dir');
    const done = await reenact(['bundle', 'extract', 'one.tar', '--to', 'dir'], { cwd: folder });
    expect(done).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(join(dir, 'stdout'), 'utf8')).toBe('said\n');
    expect(readdirSync(join(dir, 'files/work'), { recursive: true }).sort()).toEqual(
      ['a\ufffd', 'out', 'sub', 'sub/hard'].sort(),
    );
    expect(readFileSync(join(dir, 'links.txt'), 'utf8')).toBe('/work/link -> /etc/passwd\n');
    expect(lstatSync(join(dir, 'files/work/out')).mode & 0o7111).toBe(0);
    const same = await reenact(['bundle', 'diff', 'one.tar', 'two.tar'], { cwd: folder });
    expect(same).toMatchObject({ status: 0, stdout: expect.stringMatching(/they say the same\n$/) });
  });
});
