/** A bundle's VERIFY.txt as a person uses it: unpacked, and its commands run as they stand. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { tempFolder } from './world.ts';

/** Shells that a person may have; of dash there is no option that sees a failure inside a pipe. */
const SHELLS: Record<'bash' | 'dash', string[]> = { bash: ['-euo', 'pipefail', '-c'], dash: ['-eu', '-c'] };

/** The commands of an unpacked bundle, one a line. */
export function commandsOf(folder: string): string[] {
  return readFileSync(join(folder, 'data/VERIFY.txt'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('$ '))
    .map((line) => line.slice(2));
}

/** Runs the commands of an unpacked bundle and returns what they print; throws where one does not end with 0. */
export function runVerifyText(folder: string, shell: keyof typeof SHELLS = 'bash'): string {
  const commands = commandsOf(folder).join('\n');
  return String(execFileSync(shell, [...SHELLS[shell], commands], { cwd: folder, stdio: 'pipe' }));
}

/**
 * The commands that do not end with 0, run one after the other in one shell that goes on after a failure, as a person
 * does who looks at each status; `commands` are from elsewhere where the bundle's own are not believed.
 */
export function failedCommands(
  folder: string,
  shell: keyof typeof SHELLS = 'bash',
  commands: string[] = commandsOf(folder),
): string[] {
  const script = commands.map((command, i) => `${command}\ntest "$?" = 0 || echo "failed ${i}" >&3`);
  const { output } = spawnSync(shell, ['-c', script.join('\n')], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  return [...String(output[3]).matchAll(/^failed (\d+)$/gm)].map(([, i]) => commands[Number(i)]!);
}

/** Unpacks with GNU tar; returns the folder. */
export function unpack(path: string): string {
  const folder = tempFolder();
  execFileSync('tar', ['-xf', path, '-C', folder]);
  return folder;
}
