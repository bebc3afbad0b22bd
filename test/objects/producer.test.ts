/** What compilers say of themselves in debug information: of gcc as readelf reads it, and of files that lie. */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { expect, it } from 'vitest';

import { type Producers, producersOf, splitProducer } from '../../src/objects/dwarf/producer.ts';
import { abbreviations, elfOf, leb, type Made, number, packed, unit5 } from '../support/dwarf.ts';
import { reenact, tempFolder } from '../support/world.ts';

const folder = tempFolder();
const [LANGUAGE, PRODUCER, OFFSETS_BASE] = [0x13, 0x25, 0x72];
const [DATA1, STRING, STRP, ALT, LINE_STRP, STRX1, STRX2, STRX3, IMPLICIT, SEC_OFFSET] = [
  0x0b, 0x08, 0x0e, 0x1f21, 0x1f, 0x25, 0x26, 0x27, 0x21, 0x17,
];
const text = (value: string): Buffer => Buffer.from(`${value}\0`);
const NAME = 'GNU C17 14.2.0 -O2 -g';
const MADE = { compiler: 'GNU C17 14.2.0', flags: '-O2 -g', language: 'C17', units: 1 };

async function read(sections: Made[], more: Parameters<typeof elfOf>[1] = {}): Promise<Producers> {
  const path = join(folder, 'made');
  writeFileSync(path, elfOf(sections, more));
  return await producersOf(path);
}

/** One unit whose producer and language have these forms and bytes. */
function one(form: number, value: Buffer, ...more: Made[]): Made[] {
  return [
    { name: '.debug_abbrev', bytes: abbreviations([PRODUCER, form], [LANGUAGE, DATA1]) },
    { name: '.debug_info', bytes: unit5([value, Buffer.from([0x2c])]) },
    ...more,
  ];
}

function gcc(name: string, ...flags: string[]): string {
  const [source, program] = [join(folder, 'a.c'), join(folder, name)];
  writeFileSync(source, 'int f(int x) { return x + 1; }\nint main(void) { return f(-1); }\n');
  execFileSync('gcc', [...flags, '-o', program, source], { cwd: folder });
  return program;
}

it.each([
  ['DWARF 2', '-gdwarf-2'],
  ['DWARF 3', '-gdwarf-3'],
  ['DWARF 4', '-gdwarf-4'],
  ['DWARF 5', '-gdwarf-5'],
  ['64-bit DWARF 4', '-gdwarf-4', '-gdwarf64'],
  ['64-bit DWARF 5', '-gdwarf-5', '-gdwarf64'],
  ['zlib', '-g', '-gz=zlib'],
  ['zlib as GNU wrote it once', '-g', '-gz=zlib-gnu'],
])('gcc with %s says what readelf reads', async (name, ...flags) => {
  const path = gcc(name.replaceAll(' ', '-'), '-O1', ...flags);
  const { producers, splitUnits, unread } = await producersOf(path);
  const shown = execFileSync('readelf', ['--debug-dump=info', '--dwarf-depth=1', path], { encoding: 'utf8' });
  const theirs = /DW_AT_producer.*: (GNU .*)/.exec(shown)![1];
  expect(producers.map(({ compiler, flags: used }) => `${compiler} ${used}`)).toEqual([theirs]);
  expect(producers[0]!.flags).toContain('-O1');
  expect(producers[0]!.units).toBe(1);
  expect([splitUnits, unread]).toEqual([0, []]);
});

it('units whose rest lies in .dwo files are counted, and the .dwo file has the producer', async () => {
  for (const version of ['4', '5']) {
    const program = gcc(`split${version}`, `-gdwarf-${version}`, '-gsplit-dwarf');
    expect(await producersOf(program)).toMatchObject({ producers: [], splitUnits: 1 });
    const dwo = await producersOf(`${program}-a.dwo`);
    expect(dwo).toMatchObject({ producers: [{ units: 1 }], splitUnits: 0 });
    expect(dwo.producers[0]!.flags).toContain('-gsplit-dwarf');
  }
});

it('an object that is not linked is not guessed at', async () => {
  expect(await producersOf(gcc('a.o', '-g', '-c'))).toMatchObject({
    producers: [],
    unread: [expect.stringMatching(/linked/)],
  });
});

it('each form of a text leads to it', async () => {
  const texts = Buffer.concat([text('other'), text(NAME)]);
  const str = { name: '.debug_str', bytes: texts };
  const offsets = { name: '.debug_str_offsets', bytes: Buffer.concat([0, 0, 0, 6].map((n) => number(n, 4))) };
  const made: Made[][] = [
    one(STRING, text(NAME)),
    one(STRP, number(6, 4), str),
    one(LINE_STRP, number(6, 4), { ...str, name: '.debug_line_str' }),
    // Behind the header of 8 bytes stands the first, which no base leads to.
    one(STRX1, number(1, 1), str, offsets),
    one(STRX2, number(1, 2), str, offsets),
    one(STRX3, number(1, 3), str, offsets),
  ];
  for (const sections of made) expect((await read(sections)).producers).toEqual([MADE]);
  const based = [
    { name: '.debug_abbrev', bytes: abbreviations([PRODUCER, STRX1], [OFFSETS_BASE, SEC_OFFSET]) },
    { name: '.debug_info', bytes: unit5([number(0, 1), number(12, 4)]) },
  ];
  expect((await read([...based, str, offsets])).producers[0]!.compiler).toBe(MADE.compiler);
});

it('big-endian files, and a language that the abbreviation says', async () => {
  const table = Buffer.concat([
    ...[leb(1), leb(0x11), leb(0), leb(PRODUCER), leb(STRP), leb(LANGUAGE), leb(IMPLICIT), leb(0x7001)],
    leb(0),
    leb(0),
    leb(0),
  ]);
  for (const wide of [false, true]) {
    const sections = [
      { name: '.debug_abbrev', bytes: table },
      { name: '.debug_info', bytes: unit5([number(2, wide ? 8 : 4, true)], { big: true, wide }) },
      { name: '.debug_str', bytes: text(`ab${NAME}`) },
    ];
    expect((await read(sections, { big: true })).producers).toEqual([{ ...MADE, language: 0x7001 }]);
  }
});

it('zstd is inflated, and another method said', async () => {
  const [abbrev, info] = one(STRING, text(NAME)) as [Made, Made];
  const { bytes } = info;
  const zstd = packed('.debug_info', 2, bytes.length, zstdCompressSync(bytes));
  expect((await read([abbrev, zstd])).producers).toEqual([MADE]);
  expect(await read([abbrev, packed('.debug_info', 3, bytes.length, bytes)])).toMatchObject({
    producers: [],
    unread: ['its section .debug_info is compressed by a method unknown'],
  });
});

it('a package of .dwo files is not read as if it were one of them', async () => {
  const dwp = one(STRING, text(NAME)).map((made) => ({ ...made, name: `${made.name}.dwo` }));
  expect((await read(dwp)).producers).toEqual([MADE]);
  const index = { name: '.debug_cu_index', bytes: Buffer.alloc(16) };
  expect(await read([...dwp, index])).toMatchObject({
    producers: [],
    unread: [expect.stringMatching(/^a package of/)],
  });
});

it('what stands in a shared file is not found, and said', async () => {
  expect(await read(one(ALT, number(6, 4)))).toEqual({
    producers: [],
    splitUnits: 0,
    unread: ['1 units keep their producer in a file that is shared (dwz)'],
  });
});

/** A Mach-O file of one segment with two sections. */
function machO(): Buffer {
  const [abbrev, info] = one(STRING, text(NAME)) as [Made, Made];
  const b = Buffer.alloc(32 + 72 + 160);
  for (const [at, value] of [
    ...([
      [0, 0xfeedfacf],
      [4, 0x01000007],
      [8, 3],
      [16, 1],
      [20, 232],
      [32, 0x19],
      [36, 232],
      [96, 2],
    ] as const),
    ...([
      [144, abbrev.bytes.length],
      [152, b.length],
      [224, info.bytes.length],
    ] as const),
    [232, b.length + abbrev.bytes.length] as const,
  ])
    b.writeUInt32LE(value, at);
  for (const [i, name] of ['__debug_abbrev', '__debug_info'].entries()) {
    b.write(name, 104 + 80 * i, 'latin1');
    b.write('__DWARF', 120 + 80 * i, 'latin1');
  }
  return Buffer.concat([b, abbrev.bytes, info.bytes]);
}

it('Mach-O keeps the same in sections of a segment', async () => {
  const path = join(folder, 'macho');
  writeFileSync(path, machO());
  expect((await producersOf(path)).producers).toEqual([MADE]);
});

const dsym = join(
  process.env.REENACT_CASES ?? '/nowhere',
  'symbols/macos/crash.dSYM/Contents/Resources/DWARF/crash',
);
it.skipIf(!existsSync(dsym))('a real dSYM (of REENACT_CASES)', async () => {
  const { producers } = await producersOf(dsym);
  expect(producers[0]).toEqual({
    compiler: 'Apple LLVM version 8.1.0 (clang-802.0.42)',
    flags: null,
    language: 'C++',
    units: 14,
  });
});

it.each([
  [NAME, 'GNU C17 14.2.0', '-O2 -g'],
  ['GNU AS 2.40', 'GNU AS 2.40', null],
  ['Go cmd/compile go1.19.8; -N -l; regabi', 'Go cmd/compile go1.19.8', '-N -l; regabi'],
  ['clang version 14.0.6 /usr/bin/clang -g a.c', 'clang version 14.0.6', '/usr/bin/clang -g a.c'],
  [
    'clang LLVM (rustc version 1.95.0 (59807616e 2026-04-14))',
    'clang LLVM (rustc version 1.95.0 (59807616e 2026-04-14))',
    null,
  ],
])('%s is parted', (whole, compiler, flags) => {
  expect(splitProducer(whole)).toEqual({ compiler, flags });
});

it('symbols id shows compiler, flags and quality', async () => {
  const path = gcc('shown', '-O1', '-g');
  const { stdout } = await reenact(['symbols', 'id', path]);
  expect(stdout).toMatch(
    /\n {2}quality {4}full\n {2}compiler {3}GNU C\d+ .*, C\d+, 1 unit\n {2}flags {6}-.*-O1/,
  );
});
