/** Which symbol file tells more, what distributions and Go leave in programs about their build. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Feature, type Image, imageOf } from '../../src/objects/common/identity.ts';
import { goBuildInfo } from '../../src/objects/go/build-id.ts';
import { packageNote } from '../../src/objects/package-note.ts';
import { qualityOf } from '../../src/objects/quality.ts';
import { elfOf, leb } from '../support/dwarf.ts';
import { tempFolder } from '../support/world.ts';

const folder = tempFolder();
const image = (features: Feature[], more: Partial<Image> = {}): Image =>
  imageOf('x86_64', { features, ...more });
const ALL: Feature[] = ['debug_info', 'symbol_table', 'exports', 'unwind', 'code'];

it('files are ranked by what they tell, so that a stripped one never stands before the good one', () => {
  const worse = [
    qualityOf('elf', image(['code', 'unwind'])),
    qualityOf('elf', image(['exports', 'code', 'unwind'])),
    qualityOf('elf', image(['symbol_table', 'exports', 'code', 'unwind'])),
    qualityOf('elf', image(ALL, { split: true })),
    qualityOf('breakpad', image(['symbol_table', 'unwind'])),
    qualityOf('elf', image(['debug_info'])),
  ];
  expect(worse.map(({ level }) => level)).toEqual([
    'nothing',
    'exports',
    'symbols',
    'partial',
    'lines',
    'full',
  ]);
  expect(worse.map(({ rank }) => rank)).toEqual([0, 1, 2, 3, 4, 5]);
});

it.each([
  [image(ALL), {}, []],
  [image(['code']), {}, ['stripped_bundle']],
  [image(['exports']), {}, ['stripped_bundle']],
  [image(['symbol_table']), {}, ['symtab_only']],
  [image(ALL, { split: true }), {}, ['dwo_missing']],
  [image(ALL, { split: true }), { dwo: true }, []],
  [image(ALL, { split: true, alt_id: 'elf:01' }), { dwo: true }, ['dwz_missing']],
  [image(ALL, { alt_id: 'elf:01' }), { dwz: true }, []],
  [image(ALL, { compressed: ['zlib', 'unknown'] }), {}, ['unsupported_compression', 'symtab_only']],
  [image(['debug_info'], { compressed: ['unknown'] }), {}, ['unsupported_compression', 'stripped_bundle']],
])('%o with %o lacks %o', (one, found, gaps) => {
  const quality = qualityOf('elf', one, found);
  expect(quality.gaps).toEqual(gaps);
  expect(quality.level === 'full').toBe(gaps.length === 0);
});

const NOTE = { type: 'deb', os: 'debian', name: 'hello', version: '2.10-3', architecture: 'amd64' };

it('a package note is read strictly', () => {
  expect(packageNote(JSON.stringify({ ...NOTE, osVersion: '13', moduleVersion: 'x' }))).toEqual({
    type: 'deb',
    name: 'hello',
    version: '2.10-3',
    architecture: 'amd64',
    os: 'debian',
    os_version: '13',
    debug_info_url: null,
  });
  for (const bad of [
    '',
    '[]',
    'null',
    '{"type":"deb"}',
    JSON.stringify({ ...NOTE, name: 1 }),
    JSON.stringify({ ...NOTE, os: {} }),
    JSON.stringify({ ...NOTE, architecture: 'a'.repeat(1025) }),
    JSON.stringify(NOTE).replace('{', '{"name":"other",'),
  ])
    expect(packageNote(bad)).toBeNull();
});

/** What the Go linker writes: two texts, the second between marks of 16 bytes. */
function goElf(version: string, about: string, flags = 2): Buffer {
  const marked = about === '' ? '' : `${'m'.repeat(16)}${about}${'n'.repeat(16)}`;
  const head = Buffer.concat([
    Buffer.from('\xff Go buildinf:', 'latin1'),
    Buffer.from([8, flags]),
    Buffer.alloc(16),
  ]);
  const texts = [version, marked].flatMap((one) => [leb(one.length), Buffer.from(one)]);
  return elfOf([{ name: '.go.buildinfo', bytes: Buffer.concat([head, ...texts]) }]);
}

function read(bytes: Buffer): ReturnType<typeof goBuildInfo> {
  const path = join(folder, 'go');
  writeFileSync(path, bytes);
  return goBuildInfo(path);
}

it('a Go program tells its version, module, settings and commit', () => {
  const about =
    'path\texample.org/a/cmd/a\nmod\texample.org/a\tv1.2.3\th1:x\ndep\texample.org/b\tv0\n' +
    'build\t-ldflags="-s -w"\nbuild\tvcs.revision=abc\nbuild\t__proto__=x\nbuild\tbroken\n';
  expect(read(goElf('go1.22.3', about))).toEqual({
    version: 'go1.22.3',
    path: 'example.org/a/cmd/a',
    module: { path: 'example.org/a', version: 'v1.2.3' },
    settings: Object.assign(Object.create(null), {
      '-ldflags': '-s -w',
      'vcs.revision': 'abc',
      ['__proto__']: 'x',
    }),
  });
  expect(read(goElf('go1.22.3', ''))).toMatchObject({ path: null, module: null });
});

it('what is no Go program, an old one or a lying one is not guessed at', () => {
  expect(read(elfOf([]))).toBeNull();
  expect(read(goElf('go1.17', '', 0))).toBeNull();
  expect(read(Buffer.from('abc'))).toBeNull();
  const bad = goElf('go1.22.3', '');
  bad[bad.indexOf('go1.22.3') - 1] = 0x7f;
  expect(() => read(bad)).toThrow('ends in the middle of a text');
  expect(() => read(goElf('g'.repeat(300), ''))).toThrow('no version');
  const short = goElf('go1.22.3', 'path\ta');
  short[short.indexOf('m') - 1]!++;
  // What follows it in the file is not of its section.
  expect(() => read(short)).toThrow('ends in the middle of a text');
  const padded = Buffer.concat([Buffer.alloc(12, 0x80), Buffer.from([0, 0])]);
  const long = goElf('', 'a'.repeat(20));
  padded.copy(long, long.indexOf('m'.repeat(16)) - 2);
  expect(() => read(long)).toThrow('ends in the middle of a text');
  bad.fill(0xff, bad.indexOf('go1.22.3') - 1);
  expect(() => read(bad)).toThrow();
  const settings = Array.from({ length: 1000 }, (_, i) => `build\tk${i}=v\n`).join('');
  expect(Object.keys(read(goElf('go1.22.3', settings))!.settings)).toHaveLength(256);
});

const registry = '/usr/bin/docker-registry';
it.skipIf(!existsSync(registry))('a real Go program', () => {
  expect(goBuildInfo(registry)!.version).toMatch(/^go1\.\d+/);
  expect(goBuildInfo(registry)!.settings.GOOS).toBe('linux');
});
