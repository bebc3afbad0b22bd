/** npm run check: types, format and lint, dead code, the house's own rules; all at once, all reported. */
import { join } from 'node:path';

import { exec } from '../src/base/exec.ts';

/** Runs every check and returns 0 only if all pass. */
export async function check(root: string): Promise<number> {
  const bin = (name: string): string => join(root, 'node_modules', '.bin', name);
  const checks: [string, string, string[]][] = [
    ['types', bin('tsc'), ['--noEmit', '-p', root]],
    ['format and lint', bin('biome'), ['check', '--max-diagnostics=40', root]],
    ['dead code', bin('knip'), ['--directory', root, '--no-progress']],
    ['house rules', process.execPath, [bin('vitest'), 'run', '--root', root, 'test/tidy.test.ts']],
  ];
  const results = await Promise.all(
    checks.map(async ([name, file, args]) => ({
      name,
      ...(await exec(file, args, { timeoutMs: 120_000, outputBytes: 16 << 20 })),
    })),
  );
  for (const { name, exitCode, stdout, stderr } of results) {
    process.stdout.write(`${exitCode === 0 ? 'ok    ' : 'FAILED'} ${name}\n`);
    if (exitCode !== 0) process.stdout.write(`${Buffer.from(stdout).toString()}${stderr}\n`);
  }
  return results.every((result) => result.exitCode === 0) ? 0 : 1;
}
