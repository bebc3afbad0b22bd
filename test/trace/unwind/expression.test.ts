/** DWARF expressions of unwind tables: each operation's value, and what must end instead of looping or reading elsewhere. */
import { expect, it } from 'vitest';

import { Ended } from '../../../src/objects/common/cursor.ts';
import { evaluate, type Machine } from '../../../src/trace/unwind/expression.ts';
import { Cut } from '../../../src/trace/unwind/reader.ts';

const machine: Machine = {
  layout: { word: 8, little: true },
  register: (number) =>
    new Map([
      [7, 0x1000n],
      [16, 0x100bn],
    ]).get(number),
  load: (address, bytes) => {
    if (address !== 0x1008n) throw new Cut('no_memory', 'there');
    return BigInt(bytes);
  },
};
const run = (hex: string, ...initial: bigint[]): bigint =>
  evaluate(Buffer.from(hex.replaceAll(' ', ''), 'hex'), machine, initial);

it.each([
  ['35', 5n],
  ['77 08', 0x1008n],
  ['77 78', 0xff8n],
  ['92 07 10', 0x1010n],
  ['77 08 06', 8n],
  ['77 08 94 04', 4n],
  ['0b ffff', 2n ** 64n - 1n],
  ['0a ffff', 0xffffn],
  ['11 7f', 2n ** 64n - 1n],
  ['10 8001', 128n],
  ['33 35 1c', 2n ** 64n - 2n],
  ['37 32 1b', 3n],
  ['11 79 32 1b', 2n ** 64n - 3n],
  ['37 34 1d', 3n],
  ['33 34 1e', 12n],
  ['3c 3a 1a', 8n],
  ['3c 3a 21', 14n],
  ['3c 3a 27', 6n],
  ['31 34 24', 16n],
  ['11 70 32 26', 2n ** 64n - 4n],
  ['11 70 08 ff 25', 0n],
  ['31 1f', 2n ** 64n - 1n],
  ['30 20', 2n ** 64n - 1n],
  ['11 7b 19', 5n],
  ['11 7f 31 2d', 1n],
  ['31 32 33 17 22', 3n],
  ['31 32 33 15 02', 1n],
  ['31 32 16 1c', 1n],
  ['31 28 01 00 35 36', 6n],
  ['35 23 05', 10n],
  // What a procedure linkage table says of itself.
  ['77 08 80 00 3f 1a 3b 2a 33 24 22', 0x1010n],
])('%s is %i', (hex, want) => {
  expect(run(hex)).toBe(want);
});

it.each([
  ['', Ended],
  ['22', Ended],
  ['31 30 1b', Ended],
  ['2f fd ff', Ended],
  ['31 2f ff 7f', Ended],
  ['70 00', Cut],
  ['30 06', Cut],
  ['ff', Ended],
  ['77 08 94 03', Ended],
  ['0e 00', Ended],
  [`31 ${'12 '.repeat(300)}`, Ended],
])('%s ends', (hex, kind) => {
  expect(() => run(hex)).toThrow(kind);
});
