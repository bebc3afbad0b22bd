/** Debug information, symbols and build notes that lie: refused in words, in bounded time and memory. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync, zstdCompressSync } from 'node:zlib';
import { expect, it } from 'vitest';

import { Fault } from '../../src/base/fault.ts';
import { type Producers, producersOf } from '../../src/objects/dwarf/producer.ts';
import { functionsOf } from '../../src/objects/elf/functions.ts';
import { goBuildInfo } from '../../src/objects/go/build-id.ts';
import { abbreviations, elfOf, leb, type Made, number, packed, unit5 } from '../support/dwarf.ts';
import { tempFolder } from '../support/world.ts';

const folder = tempFolder();
const path = join(folder, 'hostile');
const [PRODUCER, STRING, STRP, STRX1] = [0x25, 0x08, 0x0e, 0x25];
const text = (value: string): Buffer => Buffer.from(`${value}\0`);
const ABBREV = { name: '.debug_abbrev', bytes: abbreviations([PRODUCER, STRING]) };
const INFO = { name: '.debug_info', bytes: unit5([text('GNU C17')]) };

async function read(...sections: Made[]): Promise<Producers> {
  writeFileSync(path, elfOf(sections));
  return await producersOf(path);
}

function info(...units: Buffer[]): Made {
  return { name: '.debug_info', bytes: Buffer.concat(units) };
}

const long = Buffer.alloc(12, 0x80);
const declared = (bytes: Buffer[]): Made => ({ name: '.debug_abbrev', bytes: Buffer.concat(bytes) });
const many = Array.from({ length: 300 }, () => Buffer.concat([leb(3), leb(8)]));

it.each<[string, Made[], string]>([
  [
    'a unit that is longer than its section',
    [ABBREV, info(number(500, 4), number(5, 2))],
    'would end 498 bytes behind',
  ],
  ['a reserved length', [ABBREV, info(number(0xfffffff1, 4), number(5, 2))], 'has a length of 0xfffffff1'],
  [
    'a length of 2^63',
    [ABBREV, info(number(0xffffffff, 4), number(2n ** 63n, 8), number(5, 2))],
    'behind its section',
  ],
  ['DWARF 6', [ABBREV, info(unit5([], { version: 6 }))], 'is of DWARF version 6, which is not read'],
  ['a unit that is cut', [ABBREV, info(number(3, 4), number(5, 2), number(1, 1))], 'ends in the middle'],
  ['no abbreviations', [INFO], 'no section .debug_abbrev'],
  ['abbreviations elsewhere', [ABBREV, info(unit5([], { table: 99 }))], 'has its abbreviations at 99'],
  [
    'an abbreviation that is not declared',
    [declared([leb(0)]), INFO],
    'abbreviation 1, which is not declared',
  ],
  ['a table that does not end', [declared([leb(2), leb(1), leb(0), leb(3)]), INFO], 'ends in the middle'],
  ['a LEB128 that is too long', [declared([long]), INFO], 'a number of more than 10 bytes'],
  [
    'too many attributes',
    [declared([leb(1), leb(0x11), leb(0), ...many, leb(0), leb(0)]), INFO],
    'more than 256 attributes',
  ],
  ['a form that is unknown', [{ name: '.debug_abbrev', bytes: abbreviations([3, 0x77]) }, INFO], 'form 0x77'],
  [
    'indirect forms that lead to each other',
    [{ name: '.debug_abbrev', bytes: abbreviations([3, 0x16]) }, info(unit5([leb(0x16)]))],
    'form 0x16',
  ],
  ['a text that does not end', [ABBREV, info(unit5([Buffer.alloc(70_000, 65)]))], 'a text that does not end'],
  [
    'a text behind its section',
    [
      { name: '.debug_abbrev', bytes: abbreviations([PRODUCER, STRP]) },
      info(unit5([number(9, 4)])),
      { name: '.debug_str', bytes: text('a') },
    ],
    'would stand at 9 of .debug_str',
  ],
  [
    'a text of its section that does not end',
    [
      { name: '.debug_abbrev', bytes: abbreviations([PRODUCER, STRP]) },
      info(unit5([number(0, 4)])),
      { name: '.debug_str', bytes: Buffer.alloc(20_000, 65) },
    ],
    'does not end',
  ],
  [
    'an index without a table',
    [{ name: '.debug_abbrev', bytes: abbreviations([PRODUCER, STRX1]) }, info(unit5([number(0, 1)]))],
    'of .debug_str_offsets, which ends before',
  ],
  [
    'an index into half a number',
    [
      { name: '.debug_abbrev', bytes: abbreviations([PRODUCER, STRX1]) },
      info(unit5([number(0, 1)])),
      { name: '.debug_str_offsets', bytes: Buffer.alloc(10) },
    ],
    'ends in the middle of an offset',
  ],
  [
    'units without end',
    [
      { name: '.debug_abbrev', bytes: abbreviations() },
      info(Buffer.concat(Array.from({ length: 262_145 }, () => unit5([])))),
    ],
    'more than 262144 units',
  ],
  [
    'less inflated than said',
    [ABBREV, packed('.debug_info', 1, 1 << 20, deflateSync(INFO.bytes))],
    'and says it has 1048576',
  ],
  ['damaged zlib', [ABBREV, packed('.debug_info', 1, 99, Buffer.alloc(99, 7))], 'is not what zlib writes'],
  ['damaged zstd', [ABBREV, packed('.debug_info', 2, 99, Buffer.alloc(99, 7))], 'is not what zstd writes'],
  ['abbreviations read over and over', [...overAndOver()], 'bytes of abbreviations, the most that are read'],
])('%s is refused in words', { timeout: 30_000 }, async (_name, sections, message) => {
  const error = await read(...sections).then(
    () => undefined,
    (found: unknown) => found,
  );
  expect(error).toBeInstanceOf(Fault);
  expect((error as Fault).message).toContain(message);
  expect((error as Fault).message).toContain(path);
});

/** Units that share most of one long table, each from another place of it. */
function overAndOver(): Made[] {
  const other = Buffer.concat([leb(2), leb(0x11), leb(0), leb(0), leb(0)]);
  const table = Buffer.concat([...Array.from({ length: 200_000 }, () => other), ABBREV.bytes]);
  return [
    declared([table]),
    info(...Array.from({ length: 500 }, (_, i) => unit5([text('a')], { table: 5 * i }))),
  ];
}

it('a bomb is inflated as far as its header says, and never into memory', { timeout: 60_000 }, async () => {
  const bomb = zstdCompressSync(Buffer.alloc(256 << 20));
  expect(bomb.length).toBeLessThan(1 << 20);
  // What it says it has is read, and no more of it.
  const { bytes } = INFO;
  const small = zstdCompressSync(Buffer.concat([bytes, Buffer.alloc(64 << 20)]));
  expect((await read(ABBREV, packed('.debug_info', 2, bytes.length, small))).producers).toHaveLength(1);
  const before = process.memoryUsage().rss;
  const unit = unit5([text('GNU C17'), Buffer.alloc((256 << 20) - 4096)]);
  const large = zstdCompressSync(unit);
  const length = unit.length;
  const peak = process.memoryUsage().rss;
  expect((await read(ABBREV, packed('.debug_info', 2, length, large))).producers).toHaveLength(1);
  const strings = [
    { name: '.debug_abbrev', bytes: abbreviations([PRODUCER, STRP]) },
    info(unit5([number(255 << 20, 4)])),
    packed('.debug_str', 2, 256 << 20, bomb),
  ];
  expect((await read(...strings)).producers).toMatchObject([{ compiler: '' }]);
  expect(process.memoryUsage().rss - Math.max(before, peak)).toBeLessThan(100 << 20);
});

it('of sections that claim more than a gigabyte only the beginning is looked at, which is said', async () => {
  const claimed = 2 ** 31;
  const unit = unit5([text('GNU C17')]);
  unit.writeUInt32LE(claimed - 4, 0);
  const found = await read(
    ABBREV,
    packed('.debug_info', 1, claimed, deflateSync(Buffer.concat([unit, Buffer.alloc(999)]))),
  );
  expect(found.producers).toHaveLength(1);
  expect(found.unread).toEqual([expect.stringContaining('more than 1 GiB')]);
  const far = await read(
    { name: '.debug_abbrev', bytes: abbreviations([PRODUCER, STRP]) },
    info(unit5([number(claimed - 9, 4)])),
    packed('.debug_str', 1, claimed, deflateSync(Buffer.alloc(9))),
  );
  expect(far.unread[0]).toBe('1 units name a compiler in what was not read');
});

it('more producers than anybody has are cut, and that is said', async () => {
  const units = (count: number, length = 0): Buffer[] =>
    Array.from({ length: count }, (_, i) => unit5([text(`c${i}${' '.repeat(length)}`)]));
  const found = await read(ABBREV, info(...units(100)));
  expect(found.producers).toHaveLength(64);
  expect(found.unread).toEqual(['36 producers more, of the fewest units']);
  const places = await read(ABBREV, info(...units(5000)));
  expect(places.unread[0]).toBe('904 units name a compiler in what was not read');
  const large = await read(ABBREV, info(...units(200, 10_000)));
  expect(large.unread[0]).toMatch(/^9\d units name a compiler/);
});

/** What becomes of a file that may be anything. */
async function outcome(bytes: Uint8Array): Promise<string> {
  writeFileSync(path, bytes);
  const said: string[] = [];
  for (const work of [
    async () => JSON.stringify((await producersOf(path)).producers),
    async () => `${[...functionsOf(path)].length}`,
    async () => `${goBuildInfo(path)?.version}`,
  ])
    said.push(
      await work().catch((error: unknown) => {
        expect(error).toBeInstanceOf(Fault);
        expect((error as Fault).code).toBe('object_malformed');
        return 'refused';
      }),
    );
  return said.join(' ');
}

it.each([
  ['plain', []],
  ['compressed', ['-gz=zlib']],
])('no byte that is changed, and no cut, does harm (%s)', { timeout: 120_000 }, async (_name, flags) => {
  const [source, program] = [join(folder, 'a.c'), join(folder, 'a')];
  writeFileSync(source, 'int f(int x) { return x + 1; }\nint main(void) { return f(-1); }\n');
  execFileSync('musl-gcc', ['-g', '-nostdlib', '-static', '-Wl,-e,main', ...flags, '-o', program, source]);
  const good = readFileSync(program);
  const seen = new Set<string>();
  // Code and padding between the headers and the debug information tell nothing.
  const places = Array.from({ length: good.length }, (_, i) => i).filter(
    (at) => good[at] !== 0 || at < 256 || at % 16 === 0,
  );
  for (const at of places) {
    const bad = Buffer.from(good);
    bad[at] = good[at]! ^ (at % 3 === 0 ? 0x80 : 0xff);
    seen.add(await outcome(bad));
    if (at % 7 === 0) seen.add(await outcome(good.subarray(0, at)));
  }
  expect(seen.size).toBeGreaterThan(10);
});
