/** Outputs that users name: what is no regular file is written to, links stay links, and a file is whole or as it was. */
import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { becomesFile, checkOutput, openOutput, type Replaces, writeOutput } from '../../src/base/output.ts';
import { tempFolder } from '../support/world.ts';

const fault = (code: string, text: string): object => ({ code, message: expect.stringContaining(text) });

it('makes a file, or replaces one, whole and with nothing beside it', async () => {
  const folder = tempFolder();
  const path = join(folder, 'deep', 'out');
  await writeOutput(path, 'one', 'nothing');
  await writeOutput(path, 'two', 'any');
  expect(readFileSync(path, 'utf8')).toBe('two');
  expect(readdirSync(join(folder, 'deep'))).toEqual(['out']);
});

it.each([
  ['of a file', true],
  ['of nothing yet', false],
])('follows a link %s, which stays a link', async (_, there) => {
  const folder = tempFolder();
  if (there) writeFileSync(join(folder, 'target'), 'old');
  symlinkSync('target', join(folder, 'first'));
  symlinkSync(join(folder, 'first'), join(folder, 'second'));
  await writeOutput(join(folder, 'second'), 'new', 'any');
  expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('new');
  expect(readlinkSync(join(folder, 'first'))).toBe('target');
});

it('writes to a device, which stays one', async () => {
  await writeOutput('/dev/null', 'text', 'nothing');
  expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
  await expect(writeOutput('/dev/full', 'text', 'nothing')).rejects.toMatchObject(
    fault('disk_full', '/dev/full'),
  );
  expect(lstatSync('/dev/full').isCharacterDevice()).toBe(true);
});

it('writes to a FIFO that is read, and does not wait for one that is not', async () => {
  const path = join(tempFolder(), 'fifo');
  execFileSync('mkfifo', [path]);
  await expect(writeOutput(path, 'text', 'nothing')).rejects.toMatchObject(
    fault('out_failed', 'start its reader'),
  );
  const reader = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'ignore'] });
  let read = '';
  reader.stdout.on('data', (bytes) => (read += String(bytes)));
  const ended = new Promise((resolve) => reader.on('close', resolve));
  while (
    !(await writeOutput(path, 'text', 'nothing').then(
      () => true,
      () => false,
    ))
  )
    await new Promise((r) => setTimeout(r, 5));
  await ended;
  expect(read).toBe('text');
  expect(lstatSync(path).isFIFO()).toBe(true);
});

it('writes to an open descriptor by its name, behind what was written before', async () => {
  const path = join(tempFolder(), 'log');
  const fd = openSync(path, 'w');
  try {
    openOutput(`/dev/fd/${fd}`, 'nothing').write('one ');
    await writeOutput(`/proc/self/fd/${fd}`, 'two', 'nothing');
  } finally {
    closeSync(fd);
  }
  expect(readFileSync(path, 'utf8')).toBe('one two');
});

it('begins a file of pieces empty, and each piece is there at once', async () => {
  const path = join(tempFolder(), 'events');
  writeFileSync(path, 'of another run');
  const output = openOutput(path, /^of another run/);
  output.write('one\n');
  expect(readFileSync(path, 'utf8')).toBe('one\n');
  output.close();
});

it('says what is wrong with a folder, a circle and a path that cannot be', async () => {
  const folder = tempFolder();
  symlinkSync('b', join(folder, 'a'));
  symlinkSync('a', join(folder, 'b'));
  await expect(writeOutput(folder, '', 'nothing')).rejects.toMatchObject(
    fault('out_failed', 'it is a folder'),
  );
  await expect(writeOutput(join(folder, 'a'), '', 'nothing')).rejects.toMatchObject(
    fault('out_failed', 'circle'),
  );
  await expect(writeOutput('/proc/nothing/out', '', 'nothing')).rejects.toMatchObject(
    fault('out_failed', '/proc/nothing/out'),
  );
});

it.each([
  ['-', false],
  ['/dev/stdout', false],
  ['/dev/null', false],
  ['made-new', true],
])('knows whether %s becomes a file: %s', (path, file) => {
  expect(becomesFile(path)).toBe(file);
});

const REPORT = /^<testsuite/;
it.each<[string, Replaces, boolean]>([
  ['mine', 'nothing', false],
  ['mine', 'any', true],
  ['mine', REPORT, false],
  ['<testsuite>', REPORT, true],
  ['', 'nothing', true],
  ['', REPORT, true],
])('over %j, where %s is replaced: %s', async (content, replaces, replaced) => {
  const path = join(tempFolder(), 'out');
  writeFileSync(path, content);
  const refused = fault('output_exists', `${path} is there already`);
  if (replaced) {
    checkOutput(path, replaces);
    await writeOutput(path, 'new', replaces);
  } else {
    expect(() => checkOutput(path, replaces)).toThrow(expect.objectContaining(refused));
    expect(() => openOutput(path, replaces)).toThrow(expect.objectContaining(refused));
    await expect(writeOutput(path, 'new', replaces)).rejects.toMatchObject(refused);
  }
  expect(readFileSync(path, 'utf8')).toBe(replaced ? 'new' : content);
});

it('leaves a file that has the very text, and refuses through a link what it leads to', async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'mine'), 'mine');
  symlinkSync('mine', join(folder, 'link'));
  await writeOutput(join(folder, 'link'), 'mine', 'nothing');
  await expect(writeOutput(join(folder, 'link'), 'new', 'nothing')).rejects.toMatchObject(
    fault('output_exists', 'link is there already'),
  );
  expect(readFileSync(join(folder, 'mine'), 'utf8')).toBe('mine');
});
