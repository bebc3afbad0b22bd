/** Source maps: places as Node's own reader finds them, ids of map and script, and that no lie in one does harm. */

import { truncateSync, writeFileSync } from 'node:fs';
import { SourceMap as NodeMap } from 'node:module';
import { join } from 'node:path';
import fc from 'fast-check';
import { rolldown } from 'rolldown';
import { expect, it } from 'vitest';

import { Fault } from '../../src/base/fault.ts';
import type { ObjectFile } from '../../src/objects/common/identity.ts';
import { readObject } from '../../src/objects/object.ts';
import { encodePlace } from '../../src/objects/script/place.ts';
import {
  parseSourceMap,
  resolveScript,
  type SourcePlace,
  scriptLinks,
} from '../../src/objects/script/source-map.ts';
import { mapOf, vlq } from '../support/source-map.ts';
import { reenact, tempFolder } from '../support/world.ts';

const folder = tempFolder();
const UUID = '3249d99d-0c40-4931-8610-f4e4fb0b6936';
const ID = 'js:3249d99d0c4049318610f4e4fb0b6936';
const wrong = (what: string): Fault => new Fault('object_malformed', `map: ${what}`);

/** Line and column from 1, as a trace has them. */
function look(map: unknown, ...places: [number, number][]): (SourcePlace | null)[] {
  const parsed = parseSourceMap(Buffer.from(typeof map === 'string' ? map : JSON.stringify(map)), wrong);
  return resolveScript(
    parsed,
    places.map(([line, column]) => encodePlace(line, column)!),
    wrong,
  );
}

const SMALL = [[[0, 0, 4, 2, 0], [10, 1, 0, 0], [20], [30, 2, 0, 0]], [], [[5, 0, 6, 1]]];

it('the segment at or before the column, of the same line, from 1', () => {
  const first = { name: 'f', file: 'a.ts', line: 5, column: 3 };
  const second = { name: null, file: 'b.ts', line: 1, column: 1 };
  expect(
    look(mapOf(SMALL), [1, 1], [1, 10], [1, 11], [1, 21], [1, 31], [2, 1], [3, 5], [3, 6], [9, 9]),
  ).toEqual([
    ...[first, first, second],
    // What has no source, what has one without a name, and lines without a segment.
    ...[null, null, null, null],
    { name: null, file: 'a.ts', line: 7, column: 2 },
    null,
  ]);
  // Without a column, the first of the line; given twice and in any order, each has its own answer.
  expect(look(mapOf(SMALL), [3, 0], [1, 11], [1, 0], [1, 11], [1, 1])).toMatchObject([
    ...[{ line: 7 }, second, first, second, first],
  ]);
  expect(
    resolveScript(parseSourceMap(Buffer.from(JSON.stringify(mapOf(SMALL))), wrong), ['0x1', 'x'], wrong),
  ).toEqual([null, null]);
});

it('segments of a line that stand in any order, and a root before each source', () => {
  const line = [
    [30, 1, 3, 0],
    [10, 0, 1, 0],
    [20, 0, 2, 0],
    [15, 0, 7, 0],
  ];
  const found = look(mapOf([line], { sourceRoot: '/src' }), [1, 11], [1, 25], [1, 99], [1, 5]);
  expect(found.map((place) => place && [place.file, place.line])).toEqual([
    ['/src/a.ts', 2],
    ['/src/a.ts', 3],
    ['/src/b.ts', 4],
    null,
  ]);
});

it('what stands behind the last wanted line is not looked at', () => {
  const map = mapOf([], { mappings: 'AAAA;AAAA;!' });
  expect(look(map, [1, 1])).toMatchObject([{ line: 1 }]);
  expect(() => look(map, [3, 1])).toThrow('no base 64');
});

it('an indexed map: each section counts from its own place, and ends where the next begins', () => {
  const section = (line: number, column: number, lines: number[][][]): object => ({
    offset: { line, column },
    map: mapOf(lines),
  });
  const map = {
    version: 3,
    sections: [
      section(0, 0, [
        [
          [0, 0, 0, 0],
          [50, 0, 9, 0],
        ],
      ]),
      section(0, 40, SMALL),
    ],
  };
  expect(look(map, [1, 40], [1, 41], [1, 51], [3, 6])).toMatchObject([
    { file: 'a.ts', line: 1 },
    { name: 'f', line: 5 },
    { file: 'b.ts', line: 1 },
    // Only the first line of a section is moved to the right.
    { file: 'a.ts', line: 7 },
  ]);
  expect(() => look({ version: 3, sections: [...map.sections].reverse() }, [1, 1])).toThrow('section 1');
  expect(look({ version: 3, sections: [section(5, 0, SMALL)] }, [1, 1])).toEqual([null]);
});

/** What Node says, kept to the line: it goes back to the lines before. A name it lets stand for all that follow. */
function nodeSays(map: NodeMap, line: number, column: number, ours: SourcePlace | null): SourcePlace | null {
  const entry = map.findEntry(line - 1, column - 1);
  if (!('originalLine' in entry) || entry.generatedLine !== line - 1 || !entry.originalSource) return null;
  const { name = null } = entry as { name?: string };
  const { originalSource: file, originalLine, originalColumn } = entry;
  return { name: ours?.name ? name : null, file, line: originalLine + 1, column: originalColumn + 1 };
}

/** Node reads a last segment of one number as one of four. */
const ended = <M extends { mappings: string }>(map: M): M => ({ ...map, mappings: `${map.mappings};` });

it('any map is read as Node reads it', () => {
  const small = fc.nat(40);
  const segment = fc
    .tuple(small, fc.nat(1), small, small, fc.nat(1))
    .chain((all) => fc.constantFrom(all, all.slice(0, 4)));
  const line = fc.uniqueArray(segment, { selector: ([column]) => column, maxLength: 8 });
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 6 }),
      fc.array(fc.tuple(fc.nat(7), fc.nat(45))),
      (lines, wanted) => {
        const map = mapOf(lines.map((one) => one.toSorted((a, b) => a[0]! - b[0]!)));
        const places = wanted.map(([a, b]): [number, number] => [a + 1, b + 1]);
        const theirs = new NodeMap(ended(map) as never);
        const ours = look(map, ...places);
        expect(ours).toEqual(places.map(([a, b], i) => nodeSays(theirs, a, b, ours[i]!)));
      },
    ),
    { numRuns: 500 },
  );
});

it('the map of a bundler, at each place of its script, as Node reads it', { timeout: 60_000 }, async () => {
  const bundle = await rolldown({ input: 'src/trace/read.ts', external: /^node:/ });
  const { output } = await bundle.generate({ format: 'esm', minify: true, sourcemap: true });
  const [{ code, map }] = output;
  const theirs = new NodeMap(ended(JSON.parse(JSON.stringify(map))));
  const places = code
    .split('\n')
    .flatMap((text, i) =>
      Array.from({ length: Math.min(text.length, 20_000) }, (_, j): [number, number] => [i + 1, j + 1]),
    );
  expect(places.length).toBeGreaterThan(10_000);
  const ours = look(JSON.stringify(map), ...places);
  const different = places.flatMap(([line, column], i) => {
    const node = nodeSays(theirs, line, column, ours[i]!);
    return JSON.stringify(ours[i]) === JSON.stringify(node) ? [] : [{ line, column, ours: ours[i], node }];
  });
  expect(different.slice(0, 3)).toEqual([]);
});

const readFile = (content: unknown): ObjectFile => {
  const path = join(folder, 'a.js.map');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return readObject(path);
};

it('is a file of symbols, with the id that its bundler wrote', async () => {
  for (const key of ['debugId', 'debug_id'])
    expect(readFile(mapOf(SMALL, { [key]: UUID.toUpperCase() }))).toMatchObject({
      format: 'sourcemap',
      images: [
        { id: ID, debug_id: `${ID.slice(3).toUpperCase()}0`, arch: 'javascript', features: ['debug_info'] },
      ],
    });
  for (const none of [undefined, null, 7, 'x', '00000000-0000-0000-0000-000000000000'])
    expect(readFile(mapOf([], { debugId: none })).images[0]).toMatchObject({
      id: null,
      debug_id: null,
      features: [],
    });
  expect(readFile(`)]}'\n${JSON.stringify(mapOf(SMALL, { debugId: UUID }))}`).images[0]!.id).toBe(ID);
  expect(readFile({ version: 3, sections: [], debugId: UUID }).images[0]).toMatchObject({
    id: ID,
    features: [],
  });
  const shown = await reenact(['symbols', 'id', join(folder, 'a.js.map')]);
  expect(shown.stdout).toContain(`  id         ${ID}\n`);
  readFile(mapOf(SMALL));
  const without = await reenact(['symbols', 'id', join(folder, 'a.js.map')]);
  expect(without.stdout).toContain('  id         none: the bundler wrote no debugId into the map\n');
});

it('one that is too large is refused before it is read', () => {
  const path = join(folder, 'large.map');
  writeFileSync(path, '{');
  truncateSync(path, (128 << 20) + 1);
  expect(() => readObject(path)).toThrow('at most 134217728 are read');
});

it('a script says in its last comments which map it has', () => {
  const links = (text: string): unknown => scriptLinks(Buffer.from(text));
  expect(links(`f()\n//# sourceMappingURL=a.js.map\n//# debugId=${UUID}\n`)).toEqual({
    id: ID,
    map_url: 'a.js.map',
  });
  expect(
    links(`//# debugId=x\n//# debugId=${UUID}\r\n//# sourceMappingURL=a\n//# sourceMappingURL=b`),
  ).toEqual({
    ...{ id: ID, map_url: 'b' },
  });
  expect(links('"//# sourceMappingURL=a"; //# debugId=')).toEqual({ id: null, map_url: null });
  expect(links('')).toEqual({ id: null, map_url: null });
});

it.each([
  ['not JSON', '{', 'no source map'],
  ['of another version', { version: 2 }, 'no source map of version 3'],
  ['without mappings', { version: 3, sources: [] }, 'without mappings'],
  ['with sources that are none', mapOf([], { sources: [1] }), 'sources of'],
  ['with names that are none', mapOf([], { names: {} }), 'names of'],
  ['with a root that is none', mapOf([], { sourceRoot: 1 }), 'sourceRoot'],
  [
    'with a section elsewhere',
    { version: 3, sections: [{ offset: { line: 0, column: 0 }, url: 'x' }] },
    'of its own',
  ],
  ['with a section nowhere', { version: 3, sections: [{ map: mapOf([]) }] }, 'without line and column'],
  ['of two numbers', mapOf([], { mappings: 'AA' }), 'a segment of 2 numbers'],
  ['of six numbers', mapOf([], { mappings: 'AAAAAA' }), 'a segment of six'],
  ['with what is no base 64', mapOf([], { mappings: 'AA!A' }), 'no base 64 at character 2'],
  ['with more than a byte has', mapOf([], { mappings: 'AA\u0141A' }), 'no base 64 at character 2'],
  ['that is cut off', mapOf([], { mappings: 'g' }), 'no base 64 at character 1'],
  ['with a number without an end', mapOf([], { mappings: 'gggggggggggg' }), 'without an end'],
  ['that goes below 0', mapOf([], { mappings: 'D' }), 'a place of -1'],
  ['that goes beyond all lines', mapOf([], { mappings: `AA${vlq(2 ** 31 - 1)}A,AACA` }), 'of 2147483648'],
  ['with a source that is not there', mapOf([[[0, 7, 0, 0]]]), 'source 7 of 3'],
  ['with a name that is not there', mapOf([[[0, 0, 0, 0, 2]]]), 'name 2 of 2'],
])('a map %s is refused by name', (_name, map, why) => {
  expect(() => look(map, [1, 1])).toThrow(Fault);
  expect(() => look(map, [1, 1])).toThrow(why);
});

it('whatever stands in a map, it is read or refused', () => {
  const good = JSON.stringify({
    version: 3,
    sections: [{ offset: { line: 0, column: 3 }, map: mapOf(SMALL) }],
  });
  for (let at = 0; at < good.length; at++)
    for (const bytes of [
      Buffer.from(good.slice(0, at)),
      ...[1, 2, 32, 128].map((bit) => {
        const bad = Buffer.from(good);
        bad[at]! ^= bit;
        return bad;
      }),
    ])
      try {
        resolveScript(parseSourceMap(bytes, wrong), ['0x100000005', '0x300000005'], wrong);
      } catch (error) {
        expect(error).toBeInstanceOf(Fault);
      }
});

it('millions of segments in one line, and many places in it, take neither time nor memory', {
  timeout: 60_000,
}, () => {
  const map = mapOf([], { mappings: 'AAAA,CAAA'.concat(',CAAC'.repeat(2_000_000)) });
  const found = look(map, ...Array.from({ length: 50_000 }, (_, i): [number, number] => [1, 40 * i + 1]));
  expect(found[49_999]).toMatchObject({ line: 1, column: 40 * 49_999 });
  const lines = mapOf([], { mappings: ';'.repeat(10_000_000) });
  expect(look(lines, [2 ** 32 - 1, 2 ** 32 - 1])).toEqual([null]);
  const deep = `${'{"sections":['.repeat(100)}${']}'.repeat(100)}`;
  expect(() => look(deep, [1, 1])).toThrow('nested deeper');
});
