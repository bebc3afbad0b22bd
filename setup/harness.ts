/** Builds harness/bin when it is missing or older than its sources. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { exec } from '../src/base/exec.ts';
import { ensureTools, TOOLS } from './packages.ts';
import { SetupError, say } from './say.ts';

export async function ensureHarness(root: string): Promise<void> {
  const folder = join(root, 'harness');
  const newest = Math.max(
    ...readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((f) => /\.(c|h|lds|sh)$/.test(f))
      .map((f) => statSync(join(folder, f)).mtimeMs),
  );
  const built = ['init', 'scan'].map((name) => join(folder, 'bin', name));
  if (built.every((path) => existsSync(path) && statSync(path).mtimeMs >= newest)) return;
  await ensureTools([TOOLS.compiler]);
  say('building the harness (static C, byte-identical on every machine)');
  const { exitCode, stderr } = await exec(join(folder, 'build.sh'), [], {
    timeoutMs: 120_000,
    outputBytes: 1 << 20,
  });
  if (exitCode !== 0) throw new SetupError(`harness/build.sh failed:\n${stderr}`);
}
