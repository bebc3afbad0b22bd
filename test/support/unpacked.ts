/** Bundles unpacked for a look at what came of it. */
import { lstatSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';

import { Fault } from '../../src/base/fault.ts';
import { type Unpacked, unpackBundle } from '../../src/bundle/extract/unpack.ts';
import { Refused } from '../../src/bundle/format/refused.ts';
import { tempFolder } from './world.ts';

/** Every path below a folder, links and all, in order. */
export function listing(folder: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[])
    .filter((path) => !lstatSync(join(folder, path)).isDirectory())
    .sort();
}

export async function unpack(
  bundle: string,
  only: string[] = [],
): Promise<{ dir: string; result: Unpacked }> {
  const dir = join(tempFolder(), 'dir');
  return { dir, result: await unpackBundle(bundle, dir, only, false) };
}

/** What is thrown, and that nothing at all is left beside the target. */
export async function refusal(bundle: string): Promise<string> {
  const dir = join(tempFolder(), 'dir');
  const before = readdirSync(dirname(dir));
  try {
    await unpackBundle(bundle, dir, [], false);
  } catch (error) {
    expect(readdirSync(dirname(dir))).toEqual(before);
    if (error instanceof Refused || error instanceof Fault) return error.code;
    throw error;
  }
  return 'unpacked';
}
