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

import { becomesFile, openOutput, writeOutput } from '../../src/base/output.ts';
import { tempFolder } from '../support/world.ts';

const fault = (code: string, text: string): object => ({ code, message: expect.stringContaining(text) });

it('makes a file, or replaces one, whole and with nothing beside it', async () => {
  const folder = tempFolder();
  const path = join(folder, 'deep', 'out');
  await writeOutput(path, 'one');
  await writeOutput(path, 'two');
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
  await writeOutput(join(folder, 'second'), 'new');
  expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('new');
  expect(readlinkSync(join(folder, 'first'))).toBe('target');
});

it('writes to a device, which stays one', async () => {
  await writeOutput('/dev/null', 'text');
  expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
  await expect(writeOutput('/dev/full', 'text')).rejects.toMatchObject(fault('disk_full', '/dev/full'));
  expect(lstatSync('/dev/full').isCharacterDevice()).toBe(true);
});

it('writes to a FIFO that is read, and does not wait for one that is not', async () => {
  const path = join(tempFolder(), 'fifo');
  execFileSync('mkfifo', [path]);
  await expect(writeOutput(path, 'text')).rejects.toMatchObject(fault('out_failed', 'start its reader'));
  const reader = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'ignore'] });
  let read = '';
  reader.stdout.on('data', (bytes) => (read += String(bytes)));
  const ended = new Promise((resolve) => reader.on('close', resolve));
  while (
    !(await writeOutput(path, 'text').then(
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
    openOutput(`/dev/fd/${fd}`).write('one ');
    await writeOutput(`/proc/self/fd/${fd}`, 'two');
  } finally {
    closeSync(fd);
  }
  expect(readFileSync(path, 'utf8')).toBe('one two');
});

it('begins a file of pieces empty, and each piece is there at once', async () => {
  const path = join(tempFolder(), 'events');
  writeFileSync(path, 'of another run');
  const output = openOutput(path);
  output.write('one\n');
  expect(readFileSync(path, 'utf8')).toBe('one\n');
  output.close();
});

it('says what is wrong with a folder, a circle and a path that cannot be', async () => {
  const folder = tempFolder();
  symlinkSync('b', join(folder, 'a'));
  symlinkSync('a', join(folder, 'b'));
  await expect(writeOutput(folder, '')).rejects.toMatchObject(fault('out_failed', 'it is a folder'));
  await expect(writeOutput(join(folder, 'a'), '')).rejects.toMatchObject(fault('out_failed', 'circle'));
  await expect(writeOutput('/proc/nothing/out', '')).rejects.toMatchObject(
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
