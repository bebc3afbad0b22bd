/** run --vary: what is changed around a program is told by its name, when it matters and when it does not. */
import { expect, it } from 'vitest';

import { describeEngine, manifest, reenact, tempFolder, writeManifest } from '../support/world.ts';

const LISTING = "sh -c 'busybox find /bin | head -5'";
const PROCESSORS = "sh -c 'grep Cpus_allowed_list /proc/self/status'";

async function vary(command: string, determinism: 'full' | 'off'): Promise<string> {
  const cwd = tempFolder();
  writeManifest(cwd, manifest(command, { limits: { timeout: 60 } }), 'm.json');
  const args = ['run', 'm.json', '--vary', '--determinism', determinism, '--jobs', '2'];
  return (await reenact(args, { cwd })).stdout;
}

describeEngine('what is varied', () => {
  it('is told apart with determinism off', async () => {
    expect(await vary('sh -c hostname', 'off')).toMatch(
      /varied +differed under other host name\n +same +under other processors/,
    );
    // The engine's own processes take numbers too, more or fewer by chance.
    expect(await vary("sh -c 'echo $$'", 'off')).toMatch(
      /differed under .*process numbers|with nothing changed/,
    );
    expect(await vary(PROCESSORS, 'off')).toContain('differed under other processors');
    expect(await vary(LISTING, 'off')).toContain('differed under other order of folders');
    // It sees that it is traced, which is no order of folders.
    expect(await vary('/bin/days tracer', 'off')).toContain('differed under none of them');
    expect(await vary("sh -c 'echo same'", 'off')).toContain('differed under none of them');
    expect(await vary("sh -c 'head -c 8 /dev/urandom'", 'off')).toContain('it differs with nothing changed');
  });

  it.each(['sh -c hostname', "sh -c 'echo $$'", PROCESSORS, LISTING, '/bin/races lock'])(
    'makes no difference to %s with full determinism',
    async (command) => {
      const shown = await vary(command, 'full');
      expect(shown).toContain('differed under none of them');
      expect(shown).toContain('12 of 12 match');
    },
  );

  it('says nothing of a program that could not run', async () => {
    expect(await vary('no-such-program', 'full')).toContain('so that nothing can be said');
  });

  it('has replays of its own', async () => {
    const cwd = tempFolder();
    writeManifest(cwd, manifest("sh -c 'echo same'"), 'm.json');
    for (const more of [
      ['--replays', '3'],
      ['--seeds', '1..3'],
    ])
      expect(await reenact(['run', 'm.json', '--vary', ...more], { cwd })).toMatchObject({ status: 64 });
  });
});
