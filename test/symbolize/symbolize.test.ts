/** Addresses of real and of freshly built files, ELF, PDB and Mach-O: the functions and lines that are known to stand there. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { readObject } from '../../src/objects/object.ts';
import type { SymbolFile } from '../../src/symbolize/stage.ts';
import { engineVersion, type Resolved, symbolize } from '../../src/symbolize/symbolize.ts';
import { addressOf, dsymOf, elfOf, pdbOf, run } from '../support/symbols.ts';
import { tempFolder } from '../support/world.ts';

const cases = join(process.env.REENACT_CASES ?? '/nowhere', 'symbols');
const real = existsSync(cases);
if (!real) console.log('addresses in real PDB and dSYM files: NOT tested, REENACT_CASES has no symbols');

/** Such as `callback main.cpp:15`, innermost first; files without their folders. */
function shown({ places }: Resolved): string[] {
  return places.map(
    ({ function: name, file, line }) => `${name} ${file?.split(/[/\\]/).at(-1) ?? '?'}:${line ?? '?'}`,
  );
}

async function at(
  path: string,
  format: SymbolFile['format'],
  arch: string,
  ...rel: bigint[]
): Promise<string[][]> {
  return (await symbolize({ path, format, arch }, rel)).map(shown);
}

/** What stands at the beginning of `shown` in every build of inlined.cpp with debug information. */
const INLINED = ['fail inlined.cpp:5', 'start inlined.cpp:9', 'shown inlined.cpp:13'];
/** The same instruction in every build of inlined.ll. */
const MAIN = ['fail inlined.c:3', 'start inlined.c:7', 'main inlined.c:11'];
/** Where that is, each compiler decides: somewhere in the first bytes of main. */
const first = (main: bigint): bigint[] => Array.from({ length: 32 }, (_, i) => main + BigInt(i));

describe.skipIf(!real)('a real file', () => {
  it('ELF, its debug file: printf inlined in callback', async () => {
    const debug = join(cases, 'linux/crash.debug');
    expect(await at(debug, 'elf', 'x86_64', 0x1ec7n)).toEqual([
      [
        'printf stdio2.h:104',
        '_ZN12_GLOBAL__N_18callbackERKN15google_breakpad18MinidumpDescriptorEPvb main.cpp:15',
      ],
    ]);
  });

  it('a PDB without its program', async () => {
    const [places] = await at(join(cases, 'windows/crash.pdb'), 'pdb', 'x86', 0x2a3dn);
    expect(places!.map((place) => place.replace(/^.*::/, ''))).toEqual([
      'crash main.cpp:24',
      'start main.cpp:28',
      '_main main.cpp:35',
    ]);
  });

  it('a PE file without its PDB says nothing', async () => {
    expect(await at(join(cases, 'windows/crash.exe'), 'pe', 'x86', 0x2a3dn)).toEqual([[]]);
  });

  it('a dSYM', async () => {
    const dsym = join(cases, 'macos/crash.dSYM/Contents/Resources/DWARF/crash');
    expect(await at(dsym, 'macho', 'x86_64', 0xdc15n)).toEqual([
      ['_ZN12_GLOBAL__N_15crashEv main.cpp:21', '_ZN12_GLOBAL__N_15startEv main.cpp:25', 'main main.cpp:32'],
    ]);
  });
});

describe('ELF', () => {
  it('addresses count from the lowest one, wherever the linker put that', async () => {
    const folder = tempFolder();
    const bases: string[] = [];
    for (const flags of [['-pie'], ['-no-pie'], ['-no-pie', '-Wl,-Ttext-segment=0x7001000']]) {
      const path = elfOf(folder, `program${bases.length}`, flags);
      const base = readObject(path).images[0]!.base;
      bases.push(base);
      const rel = addressOf(path, 'shown') - BigInt(base);
      // Nothing below the image, behind it, or beyond all addresses; equal addresses have equal answers.
      expect(await at(path, 'elf', 'x86_64', rel, -1n, 1n << 40n, 1n << 64n, rel)).toEqual([
        ...[INLINED, [], [], [], INLINED],
      ]);
    }
    expect(bases).toEqual(['0x0', '0x400000', '0x7001000']);
  });

  it('the debug file that was split off, under the name of a digest, and linkage names as they are stored', async () => {
    const folder = tempFolder();
    const path = elfOf(folder, 'program', ['-no-pie']);
    const blob = join(folder, 'blobs', 'f1c3bcc0279865fe3058404b2831d9e6');
    mkdirSync(join(folder, 'blobs'));
    run('objcopy', ['--only-keep-debug', path, blob]);
    expect(readObject(blob).images[0]!.base).toBe('0x400000');
    const rel = addressOf(path, '_ZN5apart4keptEPVi') - 0x400000n;
    expect(await at(blob, 'elf', 'x86_64', rel, rel - 0x10n)).toEqual([
      ['_ZN5apart4keptEPVi inlined.cpp:18'],
      INLINED,
    ]);
  });

  it.each([
    ['zlib', (path: string): string => run('objcopy', ['--compress-debug-sections=zlib', path])],
    [
      'GNU’s way of zlib',
      (path: string): string => run('objcopy', ['--compress-debug-sections=zlib-gnu', path]),
    ],
    ['zstd', (path: string): string => run('objcopy', ['--compress-debug-sections=zstd', path])],
    ['dwz', (path: string): string => run('dwz', [path])],
  ])('sections that %s made smaller', async (_name, shrink) => {
    const path = elfOf(tempFolder(), 'program');
    shrink(path);
    expect(await at(path, 'elf', 'x86_64', addressOf(path, 'shown'))).toEqual([INLINED]);
  });

  it('a file of another processor, or of another format than was said, is refused by name', async () => {
    const path = elfOf(tempFolder(), 'program');
    await expect(at(path, 'elf', 'arm64', 1n)).rejects.toThrow('program: elf of x86_64, not elf of arm64');
    await expect(at(path, 'pdb', 'x86_64', 1n)).rejects.toMatchObject({ code: 'object_malformed' });
  });
});

describe('PDB', () => {
  it.each([
    ['x86_64', 'x86_64-pc-windows-msvc', MAIN],
    ['x86', 'i686-pc-windows-msvc', [...MAIN.slice(0, 2), `_${MAIN[2]}`]],
    ['arm64', 'aarch64-pc-windows-msvc', MAIN],
  ])('of %s, without its program: inlined calls and lines', async (arch, target, main) => {
    const { pdb, exe } = pdbOf(tempFolder(), target);
    expect(await at(pdb, 'pdb', arch, ...first(0x1000n))).toContainEqual(main);
    // In data, behind the image, and in its headers: LLVM would name main.
    expect(await at(pdb, 'pdb', arch, 0x2000n, 0x5000n, 0x10n, 0x1100n)).toEqual([[], [], [], []]);
    // The program alone names that PDB by its full path, which is not followed.
    expect(await at(exe, 'pe', arch, 0x1000n)).toEqual([[]]);
  });
});

describe('Mach-O', () => {
  it('a dSYM of each processor, and the slice that was asked for of both together', async () => {
    const folder = tempFolder();
    const [intel, arm] = [dsymOf(folder, 'x86_64'), dsymOf(folder, 'arm64')];
    const fat = join(folder, 'fat');
    run('llvm-lipo-19', ['-create', '-output', fat, intel.path, arm.path]);
    for (const [arch, { path, main }] of [
      ['x86_64', intel],
      ['arm64', arm],
    ] as const) {
      const rel = main - BigInt(readObject(path).images[0]!.base);
      expect(rel).toBeLessThan(0x10000n);
      expect(await at(path, 'macho', arch, ...first(rel))).toContainEqual(MAIN);
      expect(await at(fat, 'macho', arch, ...first(rel))).toContainEqual(MAIN);
    }
  });
});

it('the engine says which one it is', async () => {
  expect(await engineVersion()).toMatch(/^19\.\d+\.\d+/);
});
