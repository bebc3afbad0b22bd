/** What is there by construction is there, or a bug that ends where it is found. */
import { expect, it } from 'vitest';

import { countLeading, itemAt, lastItem, present } from '../../src/base/list.ts';
import { isKeyOf, isOneOf, keysOf, tableOf } from '../../src/base/table.ts';
import { errnoOf, messageOf, statusOf } from '../../src/base/thrown.ts';

it('never passes undefined on', () => {
  expect([itemAt([1, 2], 1), lastItem([1, 2]), present(0)]).toEqual([2, 2, 0]);
  for (const wrong of [() => itemAt([1], 1), () => itemAt([], -1), () => lastItem([]), () => present(null)])
    expect(wrong).toThrow(RangeError);
});

it('counts the leading items that hold', () => {
  for (let size = 0; size < 20; size++) {
    const list = Array.from({ length: size }, (_, n) => n);
    for (let bound = 0; bound <= size; bound++) expect(countLeading(list, (n) => n < bound)).toBe(bound);
  }
});

it('knows a table’s own names alone', () => {
  expect(keysOf({ b: 1, a: 2 })).toEqual(['b', 'a']);
  expect([isKeyOf({ a: 1 }, 'a'), isKeyOf({ a: 1 }, 'toString'), isKeyOf({ 1: 1 }, 1)]).toEqual([
    true,
    false,
    false,
  ]);
  expect([isOneOf(['a', null], null), isOneOf(['a'], 'b')]).toEqual([true, false]);
  expect(tableOf(['a', 'b'], (name) => name + 1)).toEqual({ a: 'a1', b: 'b1' });
});

it('reads what was thrown, whatever it is', () => {
  expect([messageOf(new Error('x')), messageOf('y'), messageOf(null)]).toEqual(['x', 'y', 'null']);
  const missing = Object.assign(new Error('no'), { code: 'ENOENT', statusCode: 404 });
  expect([errnoOf(missing), errnoOf(new Error('x')), errnoOf('ENOENT')]).toEqual(['ENOENT', '', '']);
  expect([statusOf(missing), statusOf(undefined)]).toEqual([404, undefined]);
});
