/** Programs in postfix form: what they compute, and what makes them nothing. */
import { expect, it } from 'vitest';

import { runPostfix } from '../../../src/trace/unwind/postfix.ts';

const read = (address: bigint): bigint | undefined => (address === 0x1000n ? 7n : undefined);
const run = (program: string, variables = new Map([['$esp', 0x1000n]])): bigint[] | undefined =>
  runPostfix(program, variables, { read, word: 4 });

it.each([
  ['$esp 4 +', [0x1004n]],
  ['$esp ^', [7n]],
  ['1 2 -', [0xffffffffn]],
  ['-8 $esp +', [0xff8n]],
  ['0x 1', undefined],
  ['9 4 @', [8n]],
  ['9 3 @', undefined],
  ['1 0 /', undefined],
  ['1 0 %', undefined],
  ['$none', undefined],
  ['8 ^', undefined],
  ['+', undefined],
  ['1 =', undefined],
  ['1 2 =', undefined],
])('%s', (program, right) => {
  expect(run(program)).toEqual(right);
});

it('assignments change the variables, also where no space stands around them', () => {
  const variables = new Map([['$ebp', 0x0ffcn]]);
  expect(run('$T0 $ebp 4 + =$eip $T0 ^ =', variables)).toEqual([]);
  expect(variables.get('$eip')).toBe(7n);
});

it('a program without end is none', () => {
  expect(run('1 '.repeat(1025))).toBeUndefined();
  expect(run('1 '.repeat(1_000_000))).toBeUndefined();
});
