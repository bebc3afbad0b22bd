/** Names that are no more than likely: the symbol before an address, one of several functions that were folded, a place without a name. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { isNamed } from '../../src/join/gap.ts';
import { readObject } from '../../src/objects/object.ts';
import { qualityOf } from '../../src/objects/quality.ts';
import type { SymbolFile } from '../../src/symbolize/stage.ts';
import { symbolize } from '../../src/symbolize/symbolize.ts';
import { shown } from '../support/real-symbols.ts';
import { addressOf, elfOf, mingwOf, pdbOf, run } from '../support/symbols.ts';
import { tempFolder } from '../support/world.ts';

async function at(path: string, format: SymbolFile['format'], ...rel: bigint[]): Promise<string[]> {
  const found = await symbolize({ path, format, arch: 'x86_64' }, rel);
  return found.map(({ places, approximate }) => `${shown(places)}${approximate ? `, ${approximate}` : ''}`);
}

function compiled(name: string, source: string, ...flags: string[]): string {
  const folder = tempFolder();
  writeFileSync(join(folder, name), source);
  run('gcc', ['-g', '-O2', '-nostdlib', ...flags, '-o', 'program', name], folder);
  return join(folder, 'program');
}

/** A folder in which gcc finds lld under the name it looks for. */
function lld(): string[] {
  const folder = join(tempFolder(), 'bin');
  mkdirSync(folder);
  symlinkSync('/usr/bin/ld.lld-19', join(folder, 'ld.lld'));
  return ['-fuse-ld=lld', `-B${folder}`];
}

const TWINS = `
__attribute__((noinline)) int twin_one(volatile int *p) { *p = 1; return *p + 2; }
__attribute__((noinline)) int twin_two(volatile int *p) { *p = 1; return *p + 2; }
__attribute__((noinline)) int only(volatile int *p) { *p = 7; return *p; }
extern int also(volatile int *p) __attribute__((alias("only")));
void _start(void) { volatile int x; twin_one(&x); twin_two(&x); only(&x); also(&x); for (;;); }
`;

it('functions that the linker folded have one line and one name, not always of the same one', async () => {
  const flags = ['-ffunction-sections', '-fno-ipa-icf'];
  const folded = compiled('a.c', TWINS, ...flags, ...lld(), '-Wl,--icf=all');
  const rel = addressOf(folded, 'twin_one') - BigInt(readObject(folded).images[0]!.base);
  expect((await at(folded, 'elf', rel))[0]).toMatch(/^twin_\w+ a\.c:2, folded$/);
  const apart = compiled('a.c', TWINS, ...flags, ...lld(), '-Wl,--icf=none');
  const one = addressOf(apart, 'twin_two') - BigInt(readObject(apart).images[0]!.base);
  expect(await at(apart, 'elf', one)).toEqual(['twin_two a.c:3']);
});

it('two entries of one constructor are no two functions', async () => {
  const source =
    'struct A { int x; __attribute__((noinline)) A(int y) : x(y) {} }; volatile int v;\nextern "C" void _start() { A a(v); v = a.x; for (;;); }\n';
  const folder = tempFolder();
  writeFileSync(join(folder, 'a.cc'), source);
  run('g++', ['-g', '-O2', '-nostdlib', ...lld(), '-o', 'program', 'a.cc'], folder);
  const path = join(folder, 'program');
  const rel = addressOf(path, '_ZN1AC1Ei') - BigInt(readObject(path).images[0]!.base);
  expect(await at(path, 'elf', rel)).toEqual([expect.stringMatching(/^_ZN1AC[12]Ei a\.cc:1$/)]);
});

it('what a symbol without a size reaches nobody knows; code outside of all sections of code has no name', async () => {
  const source = `.text
.globl _start
.type _start, @function
_start: nop; nop; ret
.size _start, 3
.type open, @function
open: nop; nop; ret
.section .fini,"ax"
.type last, @function
last: ret
.size last, 1
.data
.long 1
`;
  const path = compiled('a.s', source, '-g0', '-Wl,-z,noseparate-code');
  const [image] = readObject(path).images;
  const from = (name: string): bigint => addressOf(path, name) - BigInt(image!.base);
  expect(await at(path, 'elf', from('_start') + 1n)).toEqual(['_start ?:?']);
  expect(await at(path, 'elf', from('open') + 2n)).toEqual([expect.stringMatching(/^open .*, nearest$/)]);
  // In the headers, below the code; behind the code, in data.
  expect(await at(path, 'elf', 0x10n, from('last') + 0x100n)).toEqual(['', '']);
});

it('a PDB with public names alone names whatever lies before; one with modules does not', async () => {
  const target = 'x86_64-pc-windows-msvc';
  const { pdb } = pdbOf(tempFolder(), target);
  // Objects without CodeView leave of themselves what GNU ld writes into a PDB, and what is left of a stripped one.
  const { pdb: stripped } = pdbOf(tempFolder(), target, '!"Dwarf Version", i32 4');
  const [whole, bare] = [pdb, stripped].map((path) => qualityOf('pdb', readObject(path).images[0]!));
  expect([whole!.level, bare!.level, bare!.gaps]).toEqual(['full', 'symbols', ['symtab_only']]);
  expect((await at(pdb, 'pdb', 0x1000n))[0]).toMatch(/main inlined\.c:\d+$/);
  expect((await at(stripped, 'pdb', 0x1000n))[0]).toBe('main ?:?, nearest');
});

it('a Windows program with DWARF is as good as its PDB would be, and without it names what lies before', async () => {
  const path = mingwOf(tempFolder());
  const { format, images } = readObject(path);
  expect(qualityOf(format, images[0]!)).toMatchObject({ level: 'full', gaps: [] });
  const rel = addressOf(path, 'main') - BigInt(images[0]!.base);
  expect(
    (await at(path, 'pe', ...Array.from({ length: 32 }, (_, i) => rel + BigInt(i)))).join('\n'),
  ).toContain('fail inlined.c:3 <- start inlined.c:7 <- main inlined.c:11');
  run('llvm-objcopy-19', ['--strip-debug', path]);
  expect(qualityOf(format, readObject(path).images[0]!).level).toBe('symbols');
  expect(await at(path, 'pe', rel)).toEqual(['main ?:?, nearest']);
});

it('a Breakpad file’s PUBLIC line has no end', async () => {
  const path = join(tempFolder(), 'a.sym');
  writeFileSync(
    path,
    'MODULE Linux x86_64 C0BCC3F19827FE653058404B2831D9E60 a\nINFO CODE_ID F1C3BCC0279865FE3058404B2831D9E64135386C\nFILE 0 a.c\nFUNC 1000 10 0 whole\n1000 10 3 0\nPUBLIC 2000 0 open\n',
  );
  expect(await at(path, 'breakpad', 0x1004n, 0x2004n)).toEqual(['whole a.c:3', 'open ?:?, nearest']);
});

it('a call without a name is none that is named, but for places in scripts', async () => {
  const place = { function: null, file: 'a.c', line: 1, column: null };
  expect(isNamed([place], 'elf')).toBe(false);
  expect(isNamed([place, { ...place, function: 'outer' }], 'elf')).toBe(false);
  expect(isNamed([{ ...place, function: 'inner' }], 'elf')).toBe(true);
  expect(isNamed([], 'elf')).toBe(false);
  expect(isNamed([place], 'sourcemap')).toBe(true);
  const path = elfOf(tempFolder(), 'program');
  expect(await at(path, 'elf', 0x10n)).toEqual(['']);
});
