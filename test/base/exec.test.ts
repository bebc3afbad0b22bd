/** Programs that are fed and read as they run: pieces, ends, and what is done with one that says nothing. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { execAlong } from '../../src/base/exec.ts';
import { tempFolder } from '../support/world.ts';

function* each(parts: string[]): Generator<string> {
  yield* parts;
}

function along(program: string, args: string[], stallMs: number, input: string[] = [], want = true) {
  const cwd = tempFolder();
  const outputPath = join(cwd, 'output');
  let text = '';
  const take = (piece: Buffer): boolean => {
    text += piece.toString();
    return want;
  };
  const ended = execAlong(program, args, { input: each(input), outputPath, take, stallMs, cwd, env: {} });
  return ended.then((status) => ({ status, text, left: existsSync(outputPath) }));
}

it('passes on what is written and how it ended, and leaves no file', async () => {
  const parts = Array.from({ length: 40 }, (_, i) => `${i} `.repeat(20_000));
  const { status, text, left } = await along('cat', [], 60_000, parts);
  expect(text === parts.join('')).toBe(true);
  expect([status, left]).toEqual([0, false]);
  expect(await along('false', [], 60_000)).toMatchObject({ status: 1 });
});

it('a program that says nothing for too long, or what is not wanted, is killed', async () => {
  expect(await along('sleep', ['1000'], 200)).toMatchObject({ status: null, text: '' });
  expect((await along('yes', [], 60_000, [], false)).status).toBeNull();
});

it('a program that ends before it has read everything is no error of ours; one that is not there is', async () => {
  const endless = Array.from({ length: 100 }, () => 'x'.repeat(100_000));
  expect(await along('true', [], 60_000, endless)).toMatchObject({ status: 0 });
  await expect(along('no-such-program', [], 60_000)).rejects.toThrow('no-such-program');
});
