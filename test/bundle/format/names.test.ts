/** Paths made of hostile names, and patterns over them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { digestOf, hexOf } from '../../../src/base/digest.ts';
import { globFits } from '../../../src/bundle/format/glob.ts';
import { Names } from '../../../src/bundle/format/names.ts';

describe('paths of names', () => {
  const odd = `x${'é'.repeat(200)}`;
  const hostile = fc.constantFrom(
    ...[
      '..',
      '.',
      '',
      '\0',
      '\\',
      ':',
      ' ',
      '~2',
      'a',
      'A',
      'con',
      '\u0301',
      'e',
      '\ud83d\ude00',
      'x'.repeat(300),
    ],
  );
  const part = fc.array(hostile, { maxLength: 3 }).map((pieces) => pieces.join(''));
  const name = fc.oneof(
    fc.array(part, { maxLength: 4 }).map((parts) => parts.join('/')),
    fc.string({ unit: 'binary', maxLength: 300 }),
  );

  it('are safe, and never the same, on any file system', () => {
    fc.assert(
      fc.property(fc.array(name, { maxLength: 30 }), (list) => {
        const names = new Names();
        const files = new Set<string>();
        const folders = new Set<string>();
        for (const one of list) {
          const path = names.place('input', one, 'f'.repeat(64));
          const parts = path.split('/');
          expect(parts[0]).toBe('input');
          expect(parts.length).toBeGreaterThan(1);
          for (const part of parts) {
            expect(part).toMatch(/^[^\0-\u001f\\:]*[^\0-\u001f\\:. ]$/);
            expect(Buffer.byteLength(part)).toBeLessThanOrEqual(255);
          }
          const key = path.normalize('NFD').toLowerCase();
          expect(files.has(key) || folders.has(key)).toBe(false);
          files.add(key);
          for (let at = 1; at < parts.length; at++)
            folders.add(parts.slice(0, at).join('/').normalize('NFD').toLowerCase());
          expect([...folders].some((folder) => files.has(folder))).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each<[string, string[], string[]]>([
    ['avoid a suffix that is taken', ['a~2', 'a', 'a'], ['a~2', 'a', 'a~3']],
    [
      'end before a character that does not fit',
      [odd],
      [`x${'é'.repeat(118)}~${hexOf(digestOf(odd)).slice(0, 16)}`],
    ],
    [
      'are a digest when they are too long',
      [`${'x'.repeat(200)}/`.repeat(11)],
      [expect.stringMatching(/^[0-9a-f]{64}$/)],
    ],
    [
      'tell neither ẞ from ss nor a sign from its letters',
      ['ẞ', 'ss', '\u212b', 'a\u030a'],
      ['ẞ', 'ss~2', '\u212b', 'a\u030a~2'],
    ],
  ])('%s', (_name, list, paths) => {
    const names = new Names();
    expect(list.map((name) => names.place('input', name, 'x').slice('input/'.length))).toEqual(paths);
  });

  it('are found quickly when a hundred thousand names are the same', () => {
    const names = new Names();
    for (let i = 0; i < 100_000; i++) names.place('input', 'same', 'x');
    expect(names.place('input', 'Same', 'x')).toBe('input/Same~100001');
  });
});

describe('a pattern', () => {
  it.each([
    ['input/a.c', 'input/a.c', true],
    ['input/*.c', 'input/a.c', true],
    ['input/*.c', 'input/a/b.c', false],
    ['input/**.c', 'input/a/b.c', true],
    ['**', 'stdout', true],
    ['*', 'stdout', true],
    ['input', 'input/a/b', true],
    ['inpu', 'input/a', false],
    ['input/a.c', 'input/axc', false],
    ['*/\u{1f600}', 'input/\u{1f600}', true],
    ['', 'input/a', false],
  ])('%s over %s: %s', (pattern, path, fits) => {
    expect(globFits(pattern, path)).toBe(fits);
  });

  it('takes no longer for a name that almost fits in very many ways', () => {
    const start = performance.now();
    expect(globFits(`${'**a'.repeat(30)}b`, 'a'.repeat(1000))).toBe(false);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
