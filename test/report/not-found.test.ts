/** Exit statuses by which shells and loaders say that something is not there. */
import { expect, it } from 'vitest';

import { notFoundAdvice } from '../../src/report/not-found.ts';

it('gives advice for 126 and 127 alone', () => {
  expect(notFoundAdvice(127)).toMatch(/^exit 127: .*did not find a program or a library.*--input/);
  expect(notFoundAdvice(126)).toMatch(/^exit 126: .*could not execute it/);
  for (const other of [null, 0, 1, 125, 128]) expect(notFoundAdvice(other)).toBeUndefined();
});
