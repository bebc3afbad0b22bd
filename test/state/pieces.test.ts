import { describe, expect, it } from 'vitest';

import type { Tree, TreeEntry } from '../../src/sandbox/tree.ts';
import { diffTrees } from '../../src/state/archive.ts';
import { subtract } from '../../src/state/capture.ts';
import type { Changes, PathChange } from '../../src/state/final-state.ts';
import { pathField, showPath, sortedFiles } from '../../src/state/final-state.ts';
import { selector } from '../../src/state/select.ts';

describe('include and exclude', () => {
  it.each([
    [undefined, 'any/thing', true],
    [undefined, 'etc/hosts', false],
    [undefined, 'proc', false],
    [undefined, 'process', true],
    [{ include: ['/work'] }, 'work/a/b', true],
    [{ include: ['/work'] }, 'workshop', false],
    [{ exclude: ['/work/*.tmp'] }, 'work/a.tmp', false],
    [{ exclude: ['/work/*.tmp'] }, 'work/d/a.tmp', true],
    [{ exclude: ['/work/**.tmp'] }, 'work/d/a.tmp', false],
    [{ exclude: ['/a+b'] }, 'a+b/c', false],
    [{ exclude: ['/a+b'] }, 'aab', true],
    [{ include: ['/'] }, 'x', true],
    [{ include: ['/w'], exclude: ['/w/x'] }, 'w/x/y', false],
  ])('%j with %s: %s', (state, path, wanted) => {
    expect(selector(state)(path)).toBe(wanted);
  });
});

const added = (path: string, more: Partial<PathChange> = {}): [string, PathChange] => [
  path,
  { path: `/${path}`, change: 'added', type: 'file', ...more },
];

describe('what the idle container shows', () => {
  const idle: Changes = new Map([
    added('work', { type: 'dir' }),
    added('harness', { type: 'dir' }),
    ['gone', { path: '/gone', change: 'deleted' }],
  ]);
  it('is subtracted when it is unchanged', () => {
    expect(subtract(new Map([...idle, added('work/x')]), idle)).toEqual(new Map([added('work/x')]));
  });
  it('is a change or a deletion when it is not', () => {
    const now: Changes = new Map([added('work', { type: 'dir', mode: '0700' })]);
    expect([...subtract(now, idle).values()].map((c) => `${c.change} ${c.path}`)).toEqual([
      'changed /work',
      'deleted /harness',
    ]);
  });
});

describe('two trees', () => {
  const file = (sizeBytes: number): TreeEntry => ({ type: 'file', mode: 0o644, uid: 0, gid: 0, sizeBytes });
  const dir: TreeEntry = { type: 'dir', mode: 0o755, uid: 0, gid: 0, sizeBytes: 0 };
  it('name only the topmost deletion', () => {
    const before: Tree = new Map([
      ['d', dir],
      ['d/e', dir],
      ['d/e/f', file(1)],
      ['g', file(1)],
    ]);
    expect([...diffTrees(before, new Map([['d', dir]]), () => true).keys()].sort()).toEqual(['d/e', 'g']);
  });
  it('refuse a name that was not UTF-8', () => {
    expect(() => diffTrees(new Map(), new Map([['bad\ufffd', file(1)]]), () => true)).toThrow('not UTF-8');
  });
});

it('paths sort by their bytes and show without control characters', () => {
  const names = ['b', 'a/b', 'a.b', 'a', '\xff'];
  const changes: Changes = new Map(names.map((raw) => [raw, { ...pathField(raw), change: 'deleted' }]));
  expect(sortedFiles(changes).map((c) => c.path ?? c.path_hex)).toEqual(['/a', '/a.b', '/a/b', '/b', '2fff']);
  expect(showPath({ path: '/a\u001b[31m' })).toBe('"/a\\u001b[31m"');
  expect(showPath({ path: '/plain' })).toBe('/plain');
});
