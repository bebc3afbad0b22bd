/** docs/library.md says what the declarations say: every method, with all that its options and results hold. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { libraryPage } from '../../setup/library-page.ts';
import { openReenact } from '../../src/library/open.ts';

it('docs/library.md is made of the declarations as they are', () => {
  const page = libraryPage();
  // node setup/library-page.ts writes it anew.
  expect(readFileSync(join(import.meta.dirname, '../../docs/library.md'), 'utf8')).toBe(page);
  for (const method of Object.keys(openReenact())) expect(page).toContain(`\n### ${method}\n`);
});

it('every method, option and result is described', () => {
  const blocks = [...libraryPage().matchAll(/```ts\n(?:interface|type) (\w+)/g)].map(([, name]) => name);
  expect(blocks).toEqual(
    expect.arrayContaining(['OpenOptions', 'ReplayOptions', 'RunOptions', 'Reproduced']),
  );
  for (const [, method, says] of libraryPage().matchAll(/\n### (\w+)\n```ts\n[^`]*```\n\n([^\n]*)/g))
    expect(says, method).toMatch(/^[A-Z].*[.)]/);
});
