/** One base class: a program that catches ReenactError catches every expected error, with a code and what to do. */
import { expect, it } from 'vitest';

import { FAULTS, Fault, ReenactError } from '../../src/base/fault.ts';
import { BUNDLE_CODES, Refused } from '../../src/bundle/format/refused.ts';
import { REFUSALS, Refusal } from '../../src/evidence/common/refusal.ts';

const cause = new Error('why');

it.each([
  ['Fault', new Fault('disk_full', 'full', cause), FAULTS.disk_full.next, 3],
  ['Refusal', new Refusal('log_proof', 'no', cause), REFUSALS.log_proof.next, 2],
  ['Refused', new Refused('tar_form', 'no', cause), BUNDLE_CODES.tar_form, 2],
])('%s is a ReenactError with code, next, cause and exit status', (name, error, next, exit) => {
  expect(error).toBeInstanceOf(ReenactError);
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ name, next, exit, cause });
  expect(error.code).toMatch(/^[a-z_]+$/);
});

it('no two tables have the same code for different things', () => {
  const codes = [FAULTS, REFUSALS, BUNDLE_CODES].flatMap((table) => Object.keys(table));
  expect(codes.length).toBe(new Set(codes).size);
});
