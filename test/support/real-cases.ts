/** Real data from outside, which REENACT_CASES names: absent data is reported, never skipped silently. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';

/** Declares the tests of one folder of the collection (such as `discovery/6-patchelf`); without it, one test that is visibly skipped. */
export function describeReal(name: string, body: (folder: string) => void): void {
  const folder = process.env.REENACT_CASES ? join(process.env.REENACT_CASES, name) : '';
  describe(`real data: ${name}`, () => {
    if (folder && existsSync(folder)) body(folder);
    else it.skip(`(skipped: REENACT_CASES names no folder with ${name}/)`, () => undefined);
  });
}
