/** The house's own rules: layers import one way, each library has one door, no file grows past its room. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { everyEntry } from '../src/cli/find.ts';
import { helpPage, overview } from '../src/cli/help.ts';
import { REGISTRY } from '../src/cli/registry.ts';
import { circleOf } from './support/circle.ts';

const ROOT = join(import.meta.dirname, '..');

/** The way of the data: a file imports from its own room and from earlier ones. A file belongs to the longest name that fits. */
const ROOMS = [
  'base',
  'store',
  'manifest',
  'policy',
  'evidence/common',
  'evidence/documents',
  'evidence/log',
  'evidence/trust',
  'evidence/verify',
  'evidence/custody',
  'sandbox',
  'state',
  'verdict',
  'replay',
  'objects/common',
  'objects/elf',
  'objects/formats',
  'objects/script',
  'objects/dwarf',
  'objects/go',
  'objects',
  'trace/model',
  'trace/unwind',
  'trace/core',
  'trace/unwind-files',
  'trace/formats',
  'trace',
  'symbolize',
  'join',
  'join/store',
  'artifacts',
  'report',
  'bundle/format',
  'bundle/custody',
  'bundle/read',
  'bundle/write',
  'bundle/extract',
  'bundle/diff',
  'bundle/redact',
  'bundle/verify',
  'bundle/registry',
  'reenact.ts',
  'library',
  'index.ts',
  'cli',
];

/** The only files that may import a library. */
const DOORS: Record<string, string[]> = {
  '@electric-sql/pglite': ['store/sql/pglite.ts'],
  dockerode: ['sandbox/docker.ts'],
  execa: ['base/exec.ts'],
  'fast-json-stable-stringify': ['base/canonical-json.ts'],
  'p-limit': ['replay/context.ts'],
  pg: ['store/sql/postgres.ts'],
  'tar-stream': ['sandbox/tree.ts', 'sandbox/volume.ts', 'sandbox/content-check.ts', 'artifacts/tar.ts'],
  yaml: ['policy/yaml.ts', 'cli/shared/config.ts'],
  '@noble/curves/abstract/edwards.js': ['evidence/common/prehashed.ts'],
  '@noble/curves/ed25519.js': ['evidence/common/prehashed.ts'],
  '@noble/curves/nist.js': ['evidence/common/prehashed.ts'],
  '@sigstore/bundle': ['evidence/trust/sigstore.ts'],
  '@sigstore/core': ['evidence/trust/sigstore.ts', 'evidence/trust/timestamp.ts'],
  '@sigstore/protobuf-specs': ['evidence/trust/sigstore.ts'],
  '@sigstore/verify': ['evidence/trust/sigstore.ts'],
};

const MAX_LINES = 300;
/** Lines of 1,000, today's figures rounded up. */
const MOST_CASTS = 1.5;
const MOST_ASSERTIONS = 2.1;

const sources = globSync('src/**/*.ts', { cwd: ROOT }).map((path) => ({
  path: path.slice('src/'.length),
  text: readFileSync(join(ROOT, path), 'utf8'),
}));

function importsOf(text: string): string[] {
  return [...text.matchAll(/(?:from|import\()\s*'([^'\n]+)'/g)].map((match) => match[1]!);
}

/** The number of a file's room; -1 where it has none. */
function roomOf(path: string): number {
  const fitting = ROOMS.filter((room) => path === room || path.startsWith(`${room}/`));
  return ROOMS.indexOf(fitting.toSorted((one, other) => other.length - one.length)[0] ?? '');
}

/** The files of the project that a file imports. */
function neighboursOf({ path, text }: (typeof sources)[number]): string[] {
  return importsOf(text)
    .filter((name) => name.startsWith('.'))
    .map((name) => join(path, '..', name));
}

it('imports run one way through the rooms', () => {
  const wrong = sources.flatMap((source) =>
    neighboursOf(source)
      .filter((target) => roomOf(target) > roomOf(source.path))
      .map((target) => `${source.path} imports ${target}`),
  );
  expect(wrong).toEqual([]);
  expect(sources.filter(({ path }) => roomOf(path) < 0).map(({ path }) => path)).toEqual([]);
});

it('no files import each other in a circle, not even for types; nor do headers', () => {
  expect(circleOf(new Map(sources.map((source) => [source.path, neighboursOf(source)])))).toBeUndefined();
  const headers = globSync('harness/**/*.h', { cwd: ROOT });
  const named = (path: string): string[] =>
    [...readFileSync(join(ROOT, path), 'utf8').matchAll(/^#include "(?:.*\/)?([^"/]+)"/gm)].flatMap(
      ([, name]) => headers.filter((header) => header.endsWith(`/${name}`)),
    );
  expect(circleOf(new Map(headers.map((path) => [path, named(path)])))).toBeUndefined();
  expect(
    circleOf(
      new Map([
        ['a', ['b']],
        ['b', ['c']],
        ['c', ['b']],
      ]),
    ),
  ).toEqual(['b', 'c', 'b']);
});

/** What the command line takes from other rooms beside types: words and forms that it shows or asks for. What it does, the library does. */
const SHOWN_OR_ASKED: Record<string, string> = {
  'bundle/custody/event.ts': 'the actions that an event may name',
  'bundle/format/refused.ts': 'the error of a refused bundle, as the library exports it',
  'evidence/documents/sign.ts': 'the algorithms that a key may sign with',
  'manifest/definition.ts': 'the highest seed',
  'manifest/instructions.ts': 'how a word is quoted in a command that is shown',
  'objects/package-note.ts': 'a package note, in words',
  'objects/script/place.ts': 'a place in a script, in words',
  'sandbox/endpoint.ts': 'the command that corrects DOCKER_HOST',
  'verdict/machine.ts': 'on which machines a result holds, in words',
};

it('the command line is built on the library', () => {
  const rooms = ['base/', 'report/', 'library/', 'cli/'];
  const wrong = sources
    .filter(({ path }) => path.startsWith('cli/'))
    .flatMap(({ path, text }) =>
      neighboursOf({ path, text: text.replaceAll(/^import type [^;]+;$/gm, '') })
        .filter(
          (target) =>
            !rooms.some((room) => target.startsWith(room)) && !Object.hasOwn(SHOWN_OR_ASKED, target),
        )
        .map((target) => `${path} imports ${target}`),
    );
  expect(wrong).toEqual([]);
});

it('each library has its door', () => {
  const wrong = sources.flatMap(({ path, text }) =>
    importsOf(text)
      .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
      .filter((name) => !DOORS[name]?.includes(path))
      .map((name) => `${path} imports ${name}`),
  );
  expect(wrong).toEqual([]);
});

it('only the clock reads the clock, and nothing runs through a shell', () => {
  const wrong = sources.filter(
    ({ path, text }) => path !== 'base/clock.ts' && /\bDate\.now\(|\bnew Date\(\)/.test(text),
  );
  expect(wrong.map(({ path }) => path)).toEqual([]);
  expect(sources.filter(({ text }) => /shell: true|\bexecSync\(/.test(text)).map(({ path }) => path)).toEqual(
    [],
  );
});

it('only one file asks where the package lies', () => {
  const asking = sources.filter(({ text }) => text.includes('import.meta')).map(({ path }) => path);
  expect(asking).toEqual(['base/package-files.ts']);
});

it('every file opens with its idea and stays a room', () => {
  expect(sources.filter(({ text }) => !text.startsWith('/** ')).map(({ path }) => path)).toEqual([]);
  const all = [
    ...globSync('{src,setup,test,bench}/**/*.ts', { cwd: ROOT }),
    ...globSync('harness/**/*.{c,h}', { cwd: ROOT }),
  ];
  const large = all.filter((path) => readFileSync(join(ROOT, path), 'utf8').split('\n').length > MAX_LINES);
  expect(large).toEqual([]);
});

/** Lines of code that hold a cast or a non-null assertion: imports, comments and lines of help texts are none. */
function linesWith(pattern: RegExp): number {
  return sources
    .filter(({ path }) => !path.startsWith('cli/'))
    .flatMap(({ text }) => text.split('\n'))
    .filter((line) => pattern.test(line) && !/^\s*(?:\/[/*]|\*|import |export \{|type \w+ as )/.test(line))
    .length;
}

/** What the compiler is told instead of asked, per 1,000 lines: the bounds go down only. */
it.each([
  [
    'casts',
    /[\w)\]}'`>] as (?:unknown as )?(?:[A-Z{([]|keyof|typeof|string|number|never|unknown)/,
    MOST_CASTS,
  ],
  ['non-null assertions', /[\w)\]]!(?:[.,;)\]}:[(]|$| (?:[-+*&|<>?]|[!=]==))/, MOST_ASSERTIONS],
])('%s do not grow back', (_, pattern, most) => {
  const lines = sources.reduce((sum, { text }) => sum + text.split('\n').length, 0);
  expect((1000 * linesWith(pattern)) / lines).toBeLessThan(most);
});

it('what is particular to a processor stands behind arch.h', () => {
  const own = /^harness\/(?:supervisor\/arch|vdso)\//;
  // Libraries and the vDSO are found by names that hold it; nothing there depends on registers.
  const particular = /(?:\.|->)(?:orig_rax|[er]?(?:[abcd]x|[sd]i|[sb]p|ip)|r\d+)\b|EM_X86_64|= ?"x86_64"/;
  const wrong = globSync('harness/**/*.{c,h}', { cwd: ROOT })
    .filter((path) => !own.test(path))
    .flatMap((path) =>
      readFileSync(join(ROOT, path), 'utf8')
        .split('\n')
        .filter((line) => particular.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    );
  expect(wrong).toEqual([]);
});

it('help fits 80 columns', async () => {
  const { commands } = REGISTRY;
  const pages = everyEntry(commands).map(({ name, entry }) => helpPage(name, entry));
  const lines = [overview(commands), ...(await Promise.all(pages))].flatMap((text) => text.split('\n'));
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
});

/** Texts that bundles hold change only with the version of their making; these files have the words in such texts. */
const BUNDLE_TEXTS = [
  'src/report/bundle-html.ts',
  'src/report/certification.ts',
  'src/report/human.ts',
  'src/report/run-custody.ts',
  'src/report/stack-html.ts',
  'src/verdict/custody.ts',
];

it('comments, messages and documents say who acts, in plain English', () => {
  const words = /\b(?:nobody|somebody|whoever|anybody|everybody|mend(?:s|ed|ing)?)\b/i;
  const comment = /\/\*[\s\S]*?\*\/|(?<!:)\/\/.*/g;
  const texts = globSync(
    ['{src,setup,bench,examples,test}/**/*.ts', 'harness/**/*.{c,h}', '*.md', 'docs/*.md', 'findings/*.md'],
    { cwd: ROOT },
  ).flatMap((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    // Names in C and cases in tests are no sentences; one comment begins with such a name.
    if (/^(?:harness|test)\//.test(path))
      return (text.match(comment) ?? []).map((found) => ({ path, text: found.replace('NOBODY stands', '') }));
    return BUNDLE_TEXTS.includes(path)
      ? (text.match(comment) ?? []).map((found) => ({ path, text: found }))
      : [{ path, text }];
  });
  expect(texts.filter(({ text }) => words.test(text)).map(({ path }) => path)).toEqual([]);
});

it('no file names a package registry', () => {
  const words = ['registry.npmjs', 'npmjs.org', 'deb.debian'];
  const files = [
    ...globSync(
      '{src,setup,test,bench,docs,harness,fixtures,sandboxes,findings}/**/*.{ts,js,md,json,c,h,sh}',
      {
        cwd: ROOT,
      },
    ),
    'package-lock.json',
    '.npmrc',
  ];
  const naming = files.filter(
    (path) =>
      path !== 'test/tidy.test.ts' &&
      words.some((word) => readFileSync(join(ROOT, path), 'utf8').includes(word)),
  );
  expect(naming).toEqual([]);
});
