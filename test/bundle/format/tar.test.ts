/** The strict tar of bundles: what other readers accept is refused unless it is byte for byte what we write. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Refused } from '../../../src/bundle/format/refused.ts';
import { parseTarHeader, TAR_END, tarHeader } from '../../../src/bundle/format/tar.ts';
import { tempFolder } from '../../support/world.ts';

const NAME = `blobs/sha256/${'a'.repeat(64)}`;

/** A header with some bytes set and its checksum made right again. */
function forged(at: number, text: string): Buffer {
  const block = tarHeader({ name: NAME, sizeBytes: 5 });
  block.write(text, at, 'latin1');
  block.write('        ', 148, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function codeOf(block: Buffer): string {
  try {
    parseTarHeader(block, 0);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return error.code;
  }
}

describe('tar headers', () => {
  it('are read back', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 31 - 1 }), (sizeBytes) => {
        expect(parseTarHeader(tarHeader({ name: NAME, sizeBytes }), 0)).toEqual({ name: NAME, sizeBytes });
      }),
    );
  });

  it.each([
    ['a link', 156, '2'],
    ['a hard link', 156, '1'],
    ['a folder', 156, '5'],
    ['a device', 156, '3'],
    ['a FIFO', 156, '6'],
    ['PAX', 156, 'x'],
    ['a GNU long name', 156, 'L'],
    ['a GNU sparse file', 156, 'S'],
    ['another mode', 100, '0000777\0'],
    ['an owner', 108, '0001750\0'],
    ['a time', 136, '14000000000\0'],
    ['a link’s target', 157, '/etc/passwd'],
    ['a user’s name', 265, 'root'],
    ['a prefix', 345, '../../etc'],
    ['the GNU magic', 257, 'ustar  \0'],
    ['a size with spaces', 124, '         5 \0'],
    ['a size in base 256', 124, '\x80\0\0\0\0\0\0\0\0\0\0\x05'],
    ['something behind the name', 90, 'x'],
    ['something behind the header', 510, 'x'],
  ])('tar_form: %s', (_name, at, text) => {
    expect(codeOf(forged(at, text))).toBe('tar_form');
  });

  it.each(['/etc/passwd', '../x', 'a/../b', 'a//b', './a', 'a/', 'a b', 'ä'])('tar_name: %s', (name) => {
    expect(codeOf(tarHeader({ name, sizeBytes: 0 }))).toBe('tar_name');
  });

  it('tar_form: a wrong checksum', () => {
    const block = tarHeader({ name: NAME, sizeBytes: 5 });
    block[150]! ^= 1;
    expect(codeOf(block)).toBe('tar_form');
  });

  it('are what GNU tar and Python read as well', () => {
    const folder = tempFolder();
    const content = Buffer.concat([
      tarHeader({ name: NAME, sizeBytes: 5 }),
      Buffer.from('hello'.padEnd(512, '\0')),
      TAR_END,
    ]);
    writeFileSync(join(folder, 'a.tar'), content);
    expect(String(execFileSync('tar', ['-tf', 'a.tar'], { cwd: folder })).trim()).toBe(NAME);
    const script = "import tarfile; print(tarfile.open('a.tar').getnames()[0])";
    expect(String(execFileSync('python3', ['-c', script], { cwd: folder })).trim()).toBe(NAME);
  });
});
