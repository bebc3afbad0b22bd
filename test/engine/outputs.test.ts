/** What run and capture write where an option says, when that is no regular file. */
import { execFile } from 'node:child_process';
import { lstatSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';

import { describeEngine, manifest, tempFolder, world, writeManifest } from '../support/world.ts';

const reenact = `${process.execPath} ${join(import.meta.dirname, '../../bin/reenact.js')}`;
const image = (): string => `${world.fixture.repository}@${world.fixture.manifest}`;
let cwd = '';

async function shell(command: string): Promise<string> {
  const { stdout } = await promisify(execFile)('bash', ['-c', command], { cwd });
  return stdout;
}

describeEngine('outputs that are no regular files', () => {
  beforeAll(() => {
    cwd = tempFolder();
    symlinkSync('/proc/self/fd/1', join(cwd, 'stdout'));
    writeManifest(cwd, manifest('sh -c true', { replays: 2 }), 'm.json');
  });

  it('capture writes the manifest alone to stdout', async () => {
    const text = await shell(`${reenact} capture --image ${image()} --out - -- sh -c true 2>said`);
    expect(JSON.parse(text)).toMatchObject({ expect: { exit_code: 0 } });
    expect(readFileSync(join(cwd, 'said'), 'utf8')).toContain('captured exit 0');
  });

  it('run writes JUnit and events through descriptors and devices', async () => {
    const text = await shell(
      `${reenact} run m.json --junit >(cat > junit) --events /dev/stderr 2>events; sleep 0.2; ${reenact} run m.json --junit stdout --events /dev/null`,
    );
    expect(readFileSync(join(cwd, 'junit'), 'utf8')).toContain('</testsuites>');
    const events = readFileSync(join(cwd, 'events'), 'utf8');
    expect(events.split('\n').filter((line) => line.startsWith('{')).length).toBeGreaterThan(2);
    expect(text).toContain('</testsuites>');
    expect(lstatSync(join(cwd, 'stdout')).isSymbolicLink()).toBe(true);
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
  });
});
