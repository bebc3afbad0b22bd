/** Breakpad symbol files: functions, lines, inlined calls and public symbols at addresses, and files that claim anything. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { symbolize } from '../../src/symbolize/symbolize.ts';
import { tempFolder } from '../support/world.ts';

const path = join(tempFolder(), 'program.sym');
const MODULE = 'MODULE Linux x86_64 C0BCC3F19827FE653058404B2831D9E60 crash\n';

/** Such as `callback main.c:15` for each place, innermost first. */
async function at(records: string, ...addresses: bigint[]): Promise<string[][]> {
  writeFileSync(path, MODULE + records);
  const found = await symbolize({ path, format: 'breakpad', arch: 'x86_64' }, addresses);
  return found.map(({ places }) =>
    places.map(({ function: name, file, line }) => `${name} ${file ?? '?'}:${line ?? '?'}`),
  );
}

const RECORDS = `INFO CODE_ID F1C3BCC0279865FE3058404B2831D9E64135386C
FILE 0 main.c
FILE 1 stdio 2.h
INLINE_ORIGIN 0 printf
INLINE_ORIGIN 7 m of two words
FUNC 1000 40 0 callback(int, char const*)
INLINE 0 15 0 7 1010 20
INLINE 1 104 1 0 1014 4 1020 2
1000 10 14 0
1010 4 20 1
1014 4 30 1
1018 28 16 0
FUNC m 2000 10 8 shared
2000 8 5 9
PUBLIC 1800 0 between
PUBLIC m 3000 8 last
STACK CFI INIT 1000 40 .cfa: $rsp 8 +
`;

it('lines, calls inlined in calls, and public symbols up to the next function', async () => {
  expect(
    await at(
      RECORDS,
      ...[0xfffn, 0x1000n, 0x1010n, 0x1014n, 0x1018n, 0x1020n, 0x103fn, 0x1040n],
      ...[0x1801n, 0x2000n, 0x2008n, 0x2010n, 0x3005n],
    ),
  ).toEqual([
    [],
    ['callback(int, char const*) main.c:14'],
    ['m of two words stdio 2.h:20', 'callback(int, char const*) main.c:15'],
    ['printf stdio 2.h:30', 'm of two words stdio 2.h:104', 'callback(int, char const*) main.c:15'],
    ['m of two words main.c:16', 'callback(int, char const*) main.c:15'],
    ['printf main.c:16', 'm of two words stdio 2.h:104', 'callback(int, char const*) main.c:15'],
    ['callback(int, char const*) main.c:16'],
    [],
    ['between ?:?'],
    ['shared ?:5'],
    ['shared ?:?'],
    [],
    ['last ?:?'],
  ]);
});

it('line ends of Windows, and a last line without any', async () => {
  const text = RECORDS.replaceAll('\n', '\r\n').trimEnd();
  expect(await at(text, 0x1000n, 0x3000n)).toEqual([['callback(int, char const*) main.c:14'], ['last ?:?']]);
});

it('records that make no sense take nothing from those around them', async () => {
  const bad = `FUNC 1000 10 0 good\n1000 8 1 0\nnonsense\n1008 8 2 0\nFUNC zz 10 0 bad\n1000 8 99 0\n`;
  expect(await at(bad, 0x1000n, 0x1008n)).toEqual([['good ?:1'], ['good ?:2']]);
  // The first of two functions that claim an address has it, and no line of the other's.
  const twice = 'FUNC 1000 10 0 one\n1000 8 1 0\nFUNC 1008 10 0 two\n1008 10 2 0\n';
  expect(await at(twice, 0x1008n, 0x1010n)).toEqual([['one ?:?'], ['two ?:2']]);
});

it('depths without end, or with gaps, end at what is known', async () => {
  const deep = Array.from({ length: 1000 }, (_, i) => `INLINE ${i} 1 0 0 1000 10\n`).join('');
  const [places] = await at(`INLINE_ORIGIN 0 f\nFUNC 1000 10 0 main\n${deep}1000 10 9 0\n`, 0x1000n);
  expect(places).toHaveLength(256);
  expect(places!.at(-1)).toBe('main ?:1');
  const gap =
    'INLINE_ORIGIN 0 f\nFUNC 1000 10 0 main\nINLINE 999999999 1 0 0 1000 10\nINLINE 2 1 0 0 1000 10\n';
  expect(await at(gap, 0x1000n)).toEqual([['main ?:?']]);
});

it('a line without end is refused, and a file of another processor', async () => {
  await expect(at(`FUNC 1000 10 0 ${'x'.repeat(3 << 20)}\n`, 0x1000n)).rejects.toThrow('a line of more than');
  writeFileSync(path, MODULE);
  await expect(symbolize({ path, format: 'breakpad', arch: 'arm64' }, [1n])).rejects.toMatchObject({
    code: 'object_malformed',
  });
});

it('finds the same as a search through all records, whatever they say', async () => {
  const number = fc.integer({ min: 0, max: 40 });
  const record = fc.tuple(number, fc.integer({ min: 0, max: 12 }), fc.boolean());
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 12 }), async (records) => {
      const text = records.map(([from, size, isPublic], i) =>
        isPublic
          ? `PUBLIC ${from.toString(16)} 0 p${i}`
          : `FUNC ${from.toString(16)} ${size.toString(16)} 0 f${i}`,
      );
      const wanted = Array.from({ length: 60 }, (_, i) => BigInt(i));
      const expected = wanted.map((address) => {
        const a = Number(address);
        const inside = records.findIndex(([from, size, pub]) => !pub && from <= a && a < from + size);
        if (inside >= 0) return [`f${inside} ?:?`];
        const starts = records.filter(([from, , pub]) => !pub && from <= a).map(([from]) => from);
        const after = Math.max(-1, ...starts);
        const publics = records
          .map(([from, , pub], i) => ({ from, pub, i }))
          .filter(({ from, pub }) => pub && from <= a && from > after)
          .sort((x, y) => x.from - y.from || x.i - y.i);
        return publics.length > 0 ? [`p${publics.at(-1)!.i} ?:?`] : [];
      });
      expect(await at(`${text.join('\n')}\n`, ...wanted)).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});
