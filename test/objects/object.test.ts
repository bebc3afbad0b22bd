/** Object files made by hand: each format's identity, and that no change to a byte of them does harm. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { Fault } from '../../src/base/fault.ts';
import type { ObjectFile } from '../../src/objects/common/identity.ts';
import { readObject } from '../../src/objects/object.ts';
import { TINY_BREAKPAD, tinyElf, tinyMachO, tinyPdb, tinyPe } from '../support/objects.ts';
import { tempFolder } from '../support/world.ts';

const folder = tempFolder();
const GUID = '0403020106050807090A0B0C0D0E0F10';

function read(bytes: Uint8Array | string): ObjectFile {
  const path = join(folder, 'object');
  writeFileSync(path, bytes);
  return readObject(path);
}

/** What becomes of bytes that may be anything: a Fault that names the file, or some identity. */
function outcome(bytes: Uint8Array): string {
  try {
    return JSON.stringify(read(bytes).images.map(({ id }) => id));
  } catch (error) {
    expect(error).toBeInstanceOf(Fault);
    expect((error as Fault).code).toBe('object_malformed');
    expect((error as Fault).message).toContain('object');
    return 'refused';
  }
}

it('a PE file is known by time stamp and size, and by the PDB that it names', () => {
  expect(read(tinyPe())).toMatchObject({
    format: 'pe',
    images: [{ id: 'pe:0ab380aa9000', pdb: `pdb:${GUID}-1a`, debug_id: `${GUID}1a`, arch: 'x86_64' }],
  });
});

it('a PDB has the age of its debug information, not of its information stream', () => {
  expect(read(tinyPdb())).toMatchObject({
    format: 'pdb',
    images: [{ id: `pdb:${GUID}-2`, debug_id: `${GUID}2`, arch: 'x86_64' }],
  });
});

it('a fat Mach-O file has an identity for each slice', () => {
  const { images } = read(tinyMachO());
  expect(images.map(({ id, arch }) => [id, arch])).toEqual([
    ['macho:101112131415161718191a1b1c1d1e1f', 'x86_64'],
    ['macho:202122232425262728292a2b2c2d2e2f', 'arm64e'],
  ]);
  expect(images[0]!.features).toEqual(['debug_info']);
});

it('a big-endian ELF file without sections has its id in a segment, and a debug id that is not turned around', () => {
  const [image] = read(tinyElf()).images;
  expect(image).toMatchObject({ id: 'elf:0102030405060708', arch: 'ppc' });
  expect(image!.debug_id).toBe('010203040506070800000000000000000');
});

it('a Breakpad file says the whole build-id, or only what its debug id keeps of it', () => {
  const whole = 'elf:f1c3bcc0279865fe3058404b2831d9e64135386c';
  expect(read(TINY_BREAKPAD).images[0]).toMatchObject({
    id: whole,
    debug_id: 'C0BCC3F19827FE653058404B2831D9E60',
  });
  expect(read(TINY_BREAKPAD.replace(/INFO.*\n/, '')).images[0]!.id).toBeNull();
  expect(
    // As Mozilla's dump_syms writes it; Breakpad's writes mac.
    read(`MODULE Mac arm64 ${GUID}0 a\nINFO CODE_ID ${GUID}\n`).images[0]!.id,
  ).toBe(`macho:${GUID.toLowerCase()}`);
  expect(
    read(`MODULE windows x86 ${GUID}1a a.pdb\nINFO CODE_ID 0AB380AA9000 a.exe\n`).images[0],
  ).toMatchObject({
    id: 'pe:0ab380aa9000',
    pdb: `pdb:${GUID}-1a`,
  });
});

/** A real program of the size that lets each of its bytes be changed where it matters. */
function smallElf(): Buffer {
  const [source, program] = [join(folder, 'a.c'), join(folder, 'a')];
  writeFileSync(source, 'int main(void) { return 0; }\n');
  execFileSync('gcc', ['-g', '-Wl,--build-id=sha1', '-o', program, source]);
  return readFileSync(program);
}

it.each([
  ['PE', tinyPe],
  ['PDB', tinyPdb],
  ['Mach-O', tinyMachO],
  ['ELF, big-endian', tinyElf],
  ['ELF of gcc', smallElf],
])('no byte of a %s file that is changed, and no cut, does harm', { timeout: 120_000 }, (_name, make) => {
  const good = make();
  const seen = new Set<string>();
  const step = good.length > 2048 ? 5 : 1;
  // Behind the first block, the sections' headers stand at the end.
  const places = Array.from({ length: good.length }, (_, i) => i).filter(
    (at) => at < 1024 || at > good.length - 3000 || at % 97 === 0,
  );
  for (let i = 0; i < places.length; i += step) {
    for (const value of [0xff, good[places[i]!]! ^ 0x80]) {
      const bad = Buffer.from(good);
      bad[places[i]!] = value;
      seen.add(outcome(bad));
    }
    seen.add(outcome(good.subarray(0, places[i])));
  }
  // Else nothing that was changed would ever have mattered.
  expect(seen.has('refused')).toBe(true);
  expect(seen.size).toBeGreaterThan(3);
});

it('names that never end and tables that claim everything take neither time nor memory', () => {
  const bad = smallElf();
  const sections = Number(bad.readBigUInt64LE(40));
  // As many sections as the number can say, and all of the file as their names.
  bad.writeUInt16LE(0, 60);
  bad.writeBigUInt64LE(2n ** 62n, sections + 32);
  expect(outcome(bad)).toBe('refused');
  const pdb = tinyPdb();
  pdb.writeUInt32LE(0xffffffff, 44);
  expect(outcome(pdb)).toBe('refused');
  const java = Buffer.alloc(64);
  java.writeUInt32BE(0xcafebabe, 0);
  java.writeUInt32BE(52, 4);
  expect(() => read(java)).toThrow('neither ELF, Mach-O');
  expect(() => readObject(folder)).toThrow('no plain file');
  expect(() => readObject(join(folder, 'nothing'))).toThrow('cannot be read');
  expect(() => read('')).toThrow('neither ELF');
});

it.each([
  ['BSJB\x01\0\x01\0', 'a portable PDB of .NET, which is not read'],
  ['\0asm\x01\0\0\0', 'WebAssembly, which is not read'],
])('symbols that are not read are called what they are, not damaged: %j', (start, what) => {
  const path = join(tempFolder(), 'symbols');
  writeFileSync(path, Buffer.from(start.padEnd(64, '\0'), 'latin1'));
  expect(() => readObject(path)).toThrow(what);
});
