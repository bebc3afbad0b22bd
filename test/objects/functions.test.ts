/** Functions of a program as readelf lists them, each with the digest of its code. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { digestOf } from '../../src/base/digest.ts';
import { type FunctionBlob, functionsOf } from '../../src/objects/elf/functions.ts';
import { elfOf, type Made, number } from '../support/dwarf.ts';
import { tempFolder } from '../support/world.ts';

const folder = tempFolder();
const SOURCE = `
int f(int x) { return x + 1; }
int alias_of_f(int x) __attribute__((alias("f")));
int data[4] = {1, 2, 3, 4};
int main(void) { return f(data[0]); }
`;

function build(name: string, ...flags: string[]): string {
  const [source, program] = [join(folder, 'a.c'), join(folder, name)];
  writeFileSync(source, SOURCE);
  execFileSync('gcc', [...flags, '-o', program, source]);
  return program;
}

/** Address, size and name of each function, in the words of readelf. */
function theirs(path: string): { address: number; size: number; name: string }[] {
  const shown = execFileSync('readelf', ['-sW', path], { encoding: 'utf8' });
  const rows = [...shown.matchAll(/: ([0-9a-f]{16}) +(\d+) FUNC +\w+ +\w+ +\d+ (\S+)$/gm)];
  return rows
    .map(([, address, size, name]) => ({ address: Number(`0x${address}`), size: Number(size), name: name! }))
    .filter(({ size }) => size > 0);
}

it.each([
  ['a program that can lie anywhere', 0, ['-pie']],
  ['a program at its own address', 0x400000, ['-no-pie']],
  ['a library, of what it exports only', 0, ['-shared', '-fPIC', '-s']],
])('%s', (name, base, flags) => {
  const path = build(name.replaceAll(/\W/g, '-'), ...flags);
  const bytes = readFileSync(path);
  const found = [...functionsOf(path)];
  expect(found.map(({ name: one }) => one)).toContain('main');
  expect(found.find(({ name: one }) => one === 'alias_of_f')).toMatchObject({ aliases: 1 });
  const names = new Map(theirs(path).map((one) => [one.name, one]));
  for (const one of found) {
    const known = names.get(one.name)!;
    expect([one.rel_addr + base, one.size]).toEqual([known.address, known.size]);
    // Code of so small a program lies in the file where it lies in memory.
    expect(one.sha256).toBe(digestOf(bytes.subarray(one.rel_addr, one.rel_addr + one.size)));
  }
  const addresses = found.map(({ rel_addr }) => rel_addr);
  expect(addresses).toEqual(
    [...new Set(theirs(path).map(({ address }) => address - base))].sort((a, b) => a - b),
  );
});

it('of a file of debug information names and sizes are known, and no digest', () => {
  const path = build('whole', '-g');
  const apart = join(folder, 'whole.debug');
  execFileSync('objcopy', ['--only-keep-debug', path, apart]);
  const whole = [...functionsOf(path)];
  expect([...functionsOf(apart)]).toEqual(whole.map((one) => ({ ...one, sha256: null })));
  expect(whole.every(({ sha256 }) => sha256 !== null)).toBe(true);
});

it('a file that is not linked, or no ELF file, has none', () => {
  expect([...functionsOf(build('a.o', '-c'))]).toEqual([]);
  const text = join(folder, 'text');
  writeFileSync(text, 'abc');
  expect([...functionsOf(text)]).toEqual([]);
});

/** A symbol: of a function, unless another type is said. */
function symbol(name: number, address: number | bigint, size: number | bigint, type = 2): Buffer {
  return Buffer.concat([number(name, 4), Buffer.from([type, 0, 1, 0]), number(address, 8), number(size, 8)]);
}

function read(
  symbols: Buffer[],
  names = Buffer.from('\0f\0g\0'),
  more: Partial<Made> = {},
  size = names.length,
): FunctionBlob[] {
  const path = join(folder, 'made');
  const made = [
    { name: '.text', bytes: Buffer.from('code'), flags: 6, address: 0x100 },
    { name: '.symtab', bytes: Buffer.concat(symbols), type: 2, link: 3, ...more },
    { name: '.strtab', bytes: names, type: 3, size },
    { name: '.far', bytes: Buffer.from('code'), flags: 6, address: 2 ** 50 },
  ];
  writeFileSync(path, elfOf(made));
  return [...functionsOf(path)];
}

it('data, symbols without a size and those outside of code are none', () => {
  const found = read([
    ...[
      symbol(1, 0x100, 4),
      symbol(1, 0x101, 1, 1),
      symbol(1, 0x101, 0),
      symbol(1, 0xff, 1),
      symbol(1, 0x104, 1),
    ],
    // It would reach behind the code, so that its bytes are not known.
    ...[symbol(3, 0x102, 3), symbol(3, 0x103, 2n ** 63n), symbol(3, 0x103, 1, 10), symbol(1, 2 ** 50, 1)],
  ]);
  expect(found).toEqual([
    { name: 'f', aliases: 0, rel_addr: 0x100, size: 4, sha256: digestOf('code') },
    { name: 'g', aliases: 0, rel_addr: 0x102, size: 3, sha256: null },
    { name: 'g', aliases: 0, rel_addr: 0x103, size: 1, sha256: digestOf('e') },
  ]);
});

it('symbols that lie are refused in words', () => {
  expect(() => read([symbol(9, 0x100, 1)])).toThrow('has its name at 9, where none ends');
  expect(() => read([symbol(1, 0x100, 1)], Buffer.from('\0aaa'))).toThrow('where none ends');
  expect(() => read([symbol(1, 0x100, 1)], undefined, { link: 77 })).toThrow('no section of names');
  const one = [symbol(1, 0x100, 1)];
  expect(() => read(one, undefined, {}, (128 << 20) + 1)).toThrow('at most 134217728 are read');
  expect(() => read(one, undefined, {}, 9999)).toThrow('names would end at');
  expect(() => read(one, undefined, { size: 9999 })).toThrow('would end outside of it');
  const many = Buffer.alloc(24 * 2_000_001);
  expect(() => read([many])).toThrow('it has 2000001 symbols, at most 2000000 are read');
});

it('what is hashed is bounded, however often symbols name it', () => {
  const path = join(folder, 'large');
  const size = 3 << 20;
  const made = [
    { name: '.text', bytes: Buffer.alloc(6 << 20), flags: 6, address: 0 },
    {
      name: '.symtab',
      bytes: Buffer.concat(Array.from({ length: 100 }, (_, i) => symbol(1, i, i === 0 ? 5 << 20 : size))),
      type: 2,
      link: 3,
    },
    { name: '.strtab', bytes: Buffer.from('\0f\0'), type: 3 },
  ];
  writeFileSync(path, elfOf(made));
  const found = [...functionsOf(path)];
  expect(found).toHaveLength(100);
  expect(found[0]).toMatchObject({ size: 5 << 20, sha256: null });
  expect(found.filter(({ sha256 }) => sha256 !== null)).toHaveLength(85);
});
