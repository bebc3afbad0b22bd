/** The second halves of split units in the one file in which the engine looks for them: a .dwp file as it is, .dwo files packed into one. */

import { symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { exec } from '../base/exec.ts';
import { asFault, Fault } from '../base/fault.ts';
import { itemAt } from '../base/list.ts';
import { FileBytes } from '../objects/common/bytes.ts';
import { readHeader, readSections } from '../objects/elf/header.ts';
import { confined } from './confined.ts';

const PACKER = 'llvm-dwp-19';
const NAME = 'rest.dwp';
const LIMITS = { timeoutMs: 300_000, outputBytes: 1 << 20, env: { LC_ALL: 'C' } };

/** Whether this is a .dwp file: it has an index. */
function isPackage(path: string): boolean {
  const file = new FileBytes(path);
  try {
    return readSections(file, readHeader(file)).some(({ name }) => name === '.debug_cu_index');
  } finally {
    file.close();
  }
}

/** Puts it into the folder; null where there is none. Throws a Fault where the files cannot be packed together. */
export async function placeSplit(paths: readonly string[], folder: string): Promise<string | null> {
  if (paths.length === 0) return null;
  // Files that are packed already are not packed again; the first one holds the most.
  const packages = paths.filter(isPackage);
  if (packages.length > 0) {
    await symlink(resolve(itemAt(packages, 0)), join(folder, NAME));
    return NAME;
  }
  const parts = paths.map((_, n) => `part-${n}`);
  for (const [n, path] of paths.entries()) await symlink(resolve(path), join(folder, itemAt(parts, n)));
  // It reads hostile bytes, as the engine does, and opens nothing but these.
  const args = confined(PACKER, ['-o', join(folder, NAME), ...parts.map((part) => join(folder, part))]);
  const { exitCode, stderr } = await exec('prlimit', args, LIMITS).catch((error: unknown) => {
    throw asFault('object_malformed', `${PACKER} does not end well on these .dwo files`, error);
  });
  // The exit statuses of prlimit where it cannot start a program.
  if (exitCode === 126 || exitCode === 127)
    throw new Fault('symbolizer_missing', `${PACKER} (Debian: llvm-19) cannot be started`);
  if (exitCode !== 0) throw new Fault('object_malformed', `${PACKER}: ${stderr.slice(0, 300)}`);
  return NAME;
}
