/** Folders of symbol files: what a path claims, what is an object file, and what the file itself says to it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

import { imageOf } from '../../src/objects/common/identity.ts';
import {
  claimOf,
  contradiction,
  isObject,
  type SymbolFile,
  symbolFilesIn,
} from '../../src/objects/layouts.ts';
import { readObject } from '../../src/objects/object.ts';
import { TINY_BREAKPAD, tinyElf, tinyMachO, tinyPdb, tinyPe } from '../support/objects.ts';
import { tempFolder } from '../support/world.ts';

const GUID = '0403020106050807090A0B0C0D0E0F10';
const UUID = '67e9247c814e392ba027dbde6748fcbf';

it.each([
  ['a/.build-id/01/02030405060708.debug', 'elf:0102030405060708', 'build-id'],
  ['a/.build-id/01/02030405060708', 'elf:0102030405060708', 'build-id'],
  ['a/.build-id/01/0203040506070.debug', null, 'plain'],
  ['a/build-id/01/02030405060708.debug', null, 'plain'],
  ['crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pdb', 'pdb:3249D99D0C4049318610F4E4FB0B6936-1', 'ssqp'],
  [
    'Crash.PDB/3249d99d0c4049318610f4e4fb0b69361A/crash.pdb',
    'pdb:3249D99D0C4049318610F4E4FB0B6936-1a',
    'ssqp',
  ],
  ['crash.pdb/3249D99D0C4049318610F4E4FB0B69361/other.pdb', null, 'plain'],
  ['x.exe/5ab380779000/x.exe', 'pe:5ab380779000', 'ssqp'],
  ['x.dll/5AB38077A9000/x.dll', 'pe:5ab38077a9000', 'ssqp'],
  ['_.debug/elf-buildid-sym-0102ab/_.debug', 'elf:0102ab', 'ssqp'],
  ['libc.so.6/elf-buildid-0102AB/libc.so.6', 'elf:0102ab', 'ssqp'],
  [`_.dwarf/mach-uuid-sym-${UUID}/_.dwarf`, `macho:${UUID}`, 'ssqp'],
  [`App/mach-uuid-${UUID}/App`, `macho:${UUID}`, 'ssqp'],
  ['buildid/0102030405060708/debuginfo', 'elf:0102030405060708', 'debuginfod'],
  ['buildid/0102030405060708/executable', 'elf:0102030405060708', 'debuginfod'],
  ['buildid/0102030405060708/source', null, 'plain'],
  ['buildid/home/debuginfo', null, 'plain'],
  ['App.dSYM/Contents/Resources/DWARF/App', null, 'plain'],
])('%s says %s', (path, says, layout) => {
  expect(claimOf(`/symbols/${path}`)).toEqual({ says, layout });
});

function write(folder: string, path: string, bytes: Uint8Array | string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), bytes);
}

async function filesIn(folder: string, most?: number): Promise<SymbolFile[]> {
  const found: SymbolFile[] = [];
  for await (const one of symbolFilesIn(folder, most))
    found.push({ ...one, path: one.path.slice(folder.length + 1) });
  return found;
}

it('finds object files by their first bytes, in the order of their names, and follows no link', async () => {
  const folder = tempFolder();
  const outside = tempFolder();
  write(outside, 'elf', tinyElf());
  write(folder, 'b/a.sym', TINY_BREAKPAD);
  write(folder, 'b/readme', 'MOD');
  write(folder, 'b/empty', '');
  write(folder, 'a.dSYM/Contents/Resources/DWARF/a', tinyMachO());
  write(folder, 'a.dSYM/Contents/Info.plist', '<plist/>');
  write(folder, `c.pdb/${GUID}2/c.pdb`, tinyPdb());
  write(folder, 'Z.exe', tinyPe());
  write(folder, '.build-id/01/02030405060708.debug', tinyElf());
  write(folder, 'Main.class', Buffer.from('cafebabe00000034', 'hex'));
  symlinkSync(outside, join(folder, 'link'));
  symlinkSync(join(outside, 'elf'), join(folder, 'link.debug'));
  symlinkSync('.', join(folder, 'b/loop'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const found = await filesIn(folder);
  expect(found).toEqual([
    { path: '.build-id/01/02030405060708.debug', says: 'elf:0102030405060708', layout: 'build-id' },
    { path: 'Z.exe', says: null, layout: 'plain' },
    { path: 'a.dSYM/Contents/Resources/DWARF/a', says: null, layout: 'plain' },
    { path: 'b/a.sym', says: null, layout: 'plain' },
    { path: `c.pdb/${GUID}2/c.pdb`, says: `pdb:${GUID}-2`, layout: 'ssqp' },
  ]);
  for (const { path, says } of found)
    expect(contradiction(says, readObject(join(folder, path)).images)).toBeNull();
  // The folder that is named may be the inner one.
  expect((await filesIn(join(folder, '.build-id')))[0]!.says).toBe('elf:0102030405060708');
});

it('a file that is not what its path says is told in a sentence', () => {
  const images = [imageOf('x86_64', { id: 'elf:01' }), imageOf('arm64')];
  expect(contradiction('elf:01', images)).toBeNull();
  expect(contradiction(null, images)).toBeNull();
  expect(contradiction('elf:02', images)).toBe(
    'its path says elf:02, and it is elf:01, a build without an id',
  );
});

it('a pipe is no object file, and opening it does not wait for a writer', () => {
  const pipe = join(tempFolder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  expect(() => readObject(pipe)).toThrow('is no plain file');
  // One that took a file's place after the folder was read is left to the reader; a link is not followed.
  expect(isObject(pipe)).toBe(true);
  symlinkSync(process.execPath, `${pipe}.debug`);
  expect(isObject(`${pipe}.debug`)).toBe(false);
  expect(isObject(process.execPath)).toBe(true);
});

it('a folder that is missing, or deeper or larger than any, is refused', async () => {
  const folder = tempFolder();
  await expect(filesIn(join(folder, 'nothing'))).rejects.toThrow('cannot be read');
  mkdirSync(join(folder, ...Array.from({ length: 33 }, () => 'd')), { recursive: true });
  await expect(filesIn(folder)).rejects.toThrow('is deeper than 32 folders');
  await expect(filesIn(folder, 20)).rejects.toThrow('has more than 20 entries');
});
