/** What stands behind a command's name: only what it declares is read, and anything else is refused by name. */
import { expect, it } from 'vitest';

import { type Arguments, readArguments } from '../../src/cli/arguments.ts';

const COMMAND = {
  options: {
    out: { kind: 'text', value: 'FILE', help: 'A file.', short: 'o' },
    input: { kind: 'list', value: 'FILE', help: 'Files.' },
    'dry-run': { kind: 'flag', help: 'Nothing is run.' },
    jobs: { kind: 'text', value: 'N', help: 'A number.' },
    mode: { kind: 'text', value: 'WORD', help: 'A word.', values: ['full', 'off'] },
    'junit-root': { kind: 'flag', help: 'A flag with words.', also: ['compat'] },
  },
  takesProgram: true,
} as const;

const read = (...args: string[]): Arguments => readArguments('test', COMMAND, args, undefined);

it('texts, lists, flags and positionals come as they were given', () => {
  const a = read('one', '--out', 'x', '--input=a', '--input', 'b', '--dry-run', 'two');
  expect([a.text('out'), a.list('input'), a.flag('dry-run'), a.positionals]).toEqual([
    'x',
    ['a', 'b'],
    true,
    ['one', 'two'],
  ]);
  expect([a.text('mode'), a.list('nothing'), a.flag('junit-root'), a.program]).toEqual([
    undefined,
    [],
    false,
    undefined,
  ]);
});

it('a short name is its option', () => {
  expect(read('-o', 'x').text('out')).toBe('x');
});

it('behind -- stands another program, whose options are not read', () => {
  const a = read('one', '--', 'app', '--out', 'y', '--unknown', '--');
  expect([a.positionals, a.program, a.text('out')]).toEqual([
    ['one'],
    ['app', '--out', 'y', '--unknown', '--'],
    undefined,
  ]);
});

it.each<[string, string[], string]>([
  ['an unknown option', ['--ouput', 'x'], 'there is no option --ouput; did you mean --out'],
  ['an option without its text', ['--out'], '--out'],
  ['a word that is none of a closed list', ['--mode', 'ful'], 'did you mean full'],
  ['a flag with a word that it does not know', ['--junit-root=old'], '--junit-root=compat'],
])('%s is refused', (_, args, said) => {
  expect(() => read(...args)).toThrow(
    expect.objectContaining({ code: 'usage', message: expect.stringContaining(said) }),
  );
});

it.each(['0', '257', '1.5', '-1', '1e2', ' 4', '0x10', ''])('%j is no number from 1 to 256', (text) => {
  expect(() => read(`--jobs=${text}`).number('jobs', 1, 256, 2)).toThrow(
    /--jobs wants a whole number from 1 to 256/,
  );
});

it('a number that is not given is the default', () => {
  expect([read().number('jobs', 1, 256, 2), read('--jobs', '8').number('jobs', 1, 256, 2)]).toEqual([2, 8]);
});
