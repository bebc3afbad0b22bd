/** A bundle's VERIFY.txt as a person uses it: unpacked, and its commands run as they stand. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { tempFolder } from './world.ts';

/** Runs the commands of an unpacked bundle and returns what they print; throws where one does not end with 0. */
export function runVerifyText(folder: string): string {
  const commands = readFileSync(join(folder, 'data/VERIFY.txt'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('$ '))
    .map((line) => line.slice(2))
    .join('\n');
  return String(execFileSync('bash', ['-euo', 'pipefail', '-c', commands], { cwd: folder, stdio: 'pipe' }));
}

/** Unpacks with GNU tar; returns the folder. */
export function unpack(path: string): string {
  const folder = tempFolder();
  execFileSync('tar', ['-xf', path, '-C', folder]);
  return folder;
}
