/** Which address of a symbol file a trace's is, where files of one build-id lie at other addresses, and profiles count in the file. */
import { describe, expect, it } from 'vitest';
import type { Layout } from '../../../src/objects/common/identity.ts';
import { basisOf, distanceIn } from '../../../src/trace/model/basis.ts';
import { traceImage } from '../../../src/trace/model/trace.ts';

const layout = (fixed: boolean, ...loads: [number, number, number][]): Layout => ({
  fixed,
  loads: loads.map(([offset, address, size]) => ({
    offset: `0x${offset.toString(16)}`,
    address: `0x${address.toString(16)}`,
    size: `0x${size.toString(16)}`,
  })),
});

/** As GNU ld, lld and mold lay a program out: text at its offset, and one page behind it. */
const GNU = layout(false, [0, 0, 0x600], [0x1000, 0x1000, 0x500]);
const LLD = layout(false, [0, 0, 0x600], [0x600, 0x1600, 0x500]);
const FIXED = layout(true, [0, 0x400000, 0x600], [0x1000, 0x401000, 0x500]);
const PATCHED = layout(true, [0, 0x3ff000, 0x1600], [0x2000, 0x401000, 0x500]);

const program = (own: Layout, base = '0x0') => ({ base, layout: own, features: ['code' as const] });
const debug = (own: Layout | null, base = '0x0') => ({
  base,
  layout: own,
  features: ['debug_info' as const],
});
const elf = { format: 'elf' };

describe('an offset in the file', () => {
  it.each([
    ['GNU ld', { ...elf, image: program(GNU), shipped: [] }, 0x1010n, 0x1010n],
    ['lld', { ...elf, image: program(LLD), shipped: [] }, 0x610n, 0x1610n],
    ['lld, the symbols split off', { ...elf, image: debug(GNU), shipped: [LLD] }, 0x610n, 0x1610n],
    [
      'a program that is not moved',
      { ...elf, image: debug(FIXED, '0x400000'), shipped: [FIXED] },
      0x1010n,
      0x1010n,
    ],
    [
      'patchelf moved its offsets',
      { ...elf, image: debug(FIXED, '0x400000'), shipped: [PATCHED] },
      0x2010n,
      0x1010n,
    ],
    ['the symbols of a program that is not there', { ...elf, image: debug(LLD), shipped: [] }, 0x610n, null],
    ['two files of one id', { ...elf, image: debug(GNU), shipped: [GNU, LLD] }, 0x1010n, null],
    ['two files that agree', { ...elf, image: program(LLD), shipped: [LLD] }, 0x610n, 0x1610n],
    ['what is not mapped', { ...elf, image: program(LLD), shipped: [] }, 0x9000n, null],
    ['Breakpad', { format: 'breakpad', image: debug(null), shipped: [LLD] }, 0x610n, 0x1610n],
    ['Breakpad alone', { format: 'breakpad', image: debug(null), shipped: [] }, 0x610n, null],
  ])('of %s', (_, sides, offset, wanted) => {
    expect(distanceIn(sides, 'file', offset)).toBe(wanted);
  });
});

describe('a distance from the lowest address', () => {
  it.each([
    ['one that can lie anywhere', { ...elf, image: debug(LLD), shipped: [GNU] }, '', 0x1610n],
    ['one that is not moved', { ...elf, image: debug(FIXED, '0x400000'), shipped: [FIXED] }, '', 0x1610n],
    [
      'the same, and where it lay',
      { ...elf, image: debug(FIXED, '0x400000'), shipped: [] },
      '0x400000',
      0x1610n,
    ],
    [
      'patchelf’s, where it lay',
      { ...elf, image: debug(FIXED, '0x400000'), shipped: [] },
      '0x3ff000',
      0x610n,
    ],
    [
      'patchelf’s, which nobody says',
      { ...elf, image: debug(FIXED, '0x400000'), shipped: [PATCHED] },
      '',
      null,
    ],
    [
      'Breakpad, and patchelf’s',
      { format: 'breakpad', image: debug(null), shipped: [PATCHED] },
      '0x400000',
      null,
    ],
    ['Breakpad', { format: 'breakpad', image: debug(null), shipped: [FIXED] }, '0x400000', 0x1610n],
    ['a PDB', { format: 'pdb', image: debug(null), shipped: [] }, '0x400000', 0x1610n],
  ])('of %s', (_, sides, basis, wanted) => {
    expect(distanceIn(sides, basis, 0x1610n)).toBe(wanted);
  });
});

it('traces say where a program lay that is not moved, and profiles where in the file', () => {
  const image = (base: string | null, id: string | null = 'elf:aa') => traceImage({ id, base });
  expect(basisOf(image('0x3ff000'), 'core')).toBe('0x3ff000');
  expect(basisOf(image('0x555555554000'), 'core')).toBe('');
  expect(basisOf(image('0x400000', 'pdb:A-1'), 'minidump')).toBe('');
  expect(basisOf(image('0x400000', null), 'core')).toBe('');
  expect(basisOf(image(null), 'native')).toBe('');
  expect(basisOf(image('0x55e67281b000'), 'pprof')).toBe('file');
  expect(basisOf({ ...image('0x8000', null), debug_id: 'A' }, 'sentry')).toBe('0x8000');
});
