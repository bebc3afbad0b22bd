/** What a hostile bundle names and describes, unpacked: nothing outside the folder, no link, no mode, no flood. */
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { digestOf, hexOf } from '../../../src/base/digest.ts';
import type { PathChange } from '../../../src/state/final-state.ts';
import { makeCase, type TestCase } from '../../support/case.ts';
import { add, type Change, forge, setState } from '../../support/forge.ts';
import { listing, refusal, unpack } from '../../support/unpacked.ts';

let made: TestCase;
beforeAll(async () => {
  made = await makeCase(['said', 'said'], { '/work/out': Buffer.from('made') });
});

describe('a name', () => {
  const [long, deep] = ['é'.repeat(200), 'x/'.repeat(400)];
  it.each<[string, [string, string][]]>([
    ['is absolute', [['/etc/passwd', 'etc/passwd']]],
    [
      'goes up',
      [
        ['../../../x', '__/__/__/x'],
        ['a/../../b', 'a/__/__/b'],
      ],
    ],
    [
      'goes up elsewhere',
      [
        ['... /x', '____/x'],
        ['..\\..\\x', '.._.._x'],
        ['C:\\x', 'C__x'],
      ],
    ],
    [
      'has empty parts',
      [
        ['', hexOf(digestOf('0'))],
        ['a//b/./c/', 'a/b/c'],
      ],
    ],
    ['has control characters', [['a\nb\u001b[2J\u202e', 'a_b_[2J_']]],
    [
      'is a device',
      [
        ['a/Nul.txt', 'a/_Nul.txt'],
        ['com1', '_com1'],
      ],
    ],
    [
      'is there in another case',
      [
        ['A', 'A'],
        ['a', 'a~2'],
        ['a~2', 'a~2~2'],
      ],
    ],
    [
      'is there in another form',
      [
        ['a\u200d', 'a\u200d'],
        ['e\u0301', 'e\u0301'],
        ['\u00e9', '\u00e9~2'],
        ['\uff41', '\uff41~2'],
      ],
    ],
    [
      'is a folder as well',
      [
        ['A/c', 'A/c'],
        ['a', 'a~2'],
        ['a/b', 'a~3/b'],
      ],
    ],
    [
      'is there twice',
      [
        ['a', 'a'],
        ['a', 'a~2'],
      ],
    ],
    ['is too long', [[long, `${'é'.repeat(119)}~${hexOf(digestOf(long)).slice(0, 16)}`]]],
    ['is too deep', [[deep, hexOf(digestOf(deep))]]],
  ])('that %s', async (_name, pairs) => {
    const path = await forge(made, (_record, collected) => {
      collected.sources = collected.sources.filter(({ role }) => role !== 'input');
      for (const [index, [name]] of pairs.entries()) add(collected, 'input', String(index), name);
    });
    const { dir, result } = await unpack(path);
    const inputs = join(dir, 'input');
    const found = listing(inputs).map((file): [string, string] => {
      const index = Number(readFileSync(join(inputs, file), 'utf8'));
      return [pairs[index]![0], file];
    });
    expect(found.toSorted()).toEqual(pairs.toSorted());
    const changed = pairs.filter(([name, file]) => name !== file && name !== `/${file}`);
    const lines = changed.map(
      ([name, file]) => `input/${file} -> ${JSON.stringify(name).replace('\u202e', '\\u202e')}\n`,
    );
    expect(result.renamed).toBe(changed.length);
    expect(existsSync(join(dir, 'names.txt')) ? readFileSync(join(dir, 'names.txt'), 'utf8') : '').toBe(
      lines.join(''),
    );
    expect(readdirSync(dirname(dir))).toEqual(['dir']);
  });
});

describe('a state', () => {
  const sha256 = digestOf('made');
  const stateOf =
    (...files: PathChange[]): Change =>
    (record, collected) =>
      setState(record, collected, { files });

  it('has its links told, its modes taken away and its devices left out', async () => {
    const file: PathChange = { change: 'added', type: 'file', mode: '4755', sha256 };
    const path = await forge(
      made,
      stateOf(
        { path: '/work/s', change: 'added', type: 'symlink', target: '..', sha256 },
        { ...file, path: '/work/a' },
        { ...file, path: '/work/b', hard_link_of: '/work/a' },
        { ...file, path: '/../../up' },
        { ...file, path_hex: '2fff' },
        { path: '/work/link', change: 'added', type: 'symlink', target: '/etc/passwd' },
        { path: '/work/li\nnk\u202e', change: 'added', type: 'symlink', target: 'a -> b' },
        { path: '/work/link/under', change: 'added', type: 'file', sha256 },
        { path: '/dev/sda', change: 'added', type: 'block', device: '8:0' },
        { path: '/gone', change: 'deleted' },
      ),
    );
    const { dir, result } = await unpack(path);
    expect(listing(join(dir, 'files'))).toEqual(
      ['\ufffd', '__/__/up', 'work/a', 'work/b', 'work/link/under'].sort(),
    );
    expect(readFileSync(join(dir, 'links.txt'), 'utf8')).toBe(
      '/work/s -> ..\n/work/link -> /etc/passwd\n"/work/li\\nnk\\u202e" -> "a -> b"\n',
    );
    expect(readFileSync(join(dir, 'names.txt'), 'utf8')).toBe(
      'files/__/__/up -> "/../../up"\nfiles/\ufffd -> "(hex) 2fff"\n',
    );
    expect(result).toMatchObject({ links: 3, renamed: 2 });
    expect(listing((await unpack(path, ['files/work/a'])).dir)).toEqual(['files/work/a']);
    expect(listing((await unpack(path, ['links.txt', 'stderr'])).dir)).toEqual(['links.txt', 'stderr']);
    const [a, b] = ['work/a', 'work/b'].map((name) => lstatSync(join(dir, 'files', name)));
    expect(a!.mode & 0o7111).toBe(0);
    expect([a!.nlink, b!.nlink]).toEqual([1, 1]);
  });

  const nothing = { sha256: digestOf(''), size: 0 };
  const stateWith = (file: object): string =>
    JSON.stringify({ exit_code: 0, signal: null, stdout: nothing, stderr: nothing, files: [file] });
  it.each<[string, string]>([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['a path that is none', stateWith({ change: 'added' })],
    ['two paths in one', stateWith({ change: 'added', path: '/a', path_hex: '2f61' })],
    ['a path that is not absolute', stateWith({ change: 'added', path: 'a' })],
  ])('manifest_form: that is %s', async (_name, text) => {
    expect(await refusal(await forge(made, (record, collected) => setState(record, collected, text)))).toBe(
      'manifest_form',
    );
  });

  it('manifest_form: with one content under so many names that they fill a disk', async () => {
    const path = await forge(made, (record, collected) => {
      const large = add(collected, 'content', Buffer.alloc(1 << 20));
      const files = Array.from({ length: 4200 }, (_, i) => ({
        path: `/f${i}`,
        change: 'added' as const,
        type: 'file' as const,
        sha256: large,
      }));
      setState(record, collected, { files });
    });
    expect(await refusal(path)).toBe('manifest_form');
  });

  it('manifest_form: with more folders than its size explains', { timeout: 30_000 }, async () => {
    const path = await forge(made, (record, collected) => {
      const files = Array.from({ length: 5500 }, (_, i) => ({
        path: `/${i}${'/a'.repeat(200)}`,
        change: 'added' as const,
        type: 'file' as const,
        sha256,
      }));
      setState(record, collected, { files });
    });
    expect(await refusal(path)).toBe('manifest_form');
  });
});
