/** Small programs with debug information, made on the spot by Debian's compilers: ELF, PDB and Mach-O. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SOURCES = join(import.meta.dirname, '../../fixtures/symbols');

export function run(program: string, args: string[], cwd?: string): string {
  return execFileSync(program, args, { encoding: 'utf8', cwd, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Compiles fixtures/symbols/inlined.cpp to `folder`/`name`, and returns its path. */
export function elfOf(folder: string, name: string, flags: string[] = []): string {
  const path = join(folder, name);
  const source = join(folder, 'inlined.cpp');
  writeFileSync(source, readFileSync(join(SOURCES, 'inlined.cpp')));
  run('g++', ['-g', '-O2', '-Wl,--build-id=sha1', ...flags, '-o', path, source], folder);
  return path;
}

/** The address of a symbol, as the file has it. */
export function addressOf(path: string, symbol: string): bigint {
  const line = run('nm', [path])
    .split('\n')
    .find((one) => one.endsWith(` ${symbol}`));
  return BigInt(`0x${line!.split(' ')[0]}`);
}

function objectOf(folder: string, target: string, format: string): string {
  const [assembly, object] = [join(folder, `${target}.ll`), join(folder, `${target}.o`)];
  const text = readFileSync(join(SOURCES, 'inlined.ll'), 'utf8');
  writeFileSync(assembly, text.replace('"TARGET"', `"${target}"`).replace(' FORMAT}', ` ${format}}`));
  run('llc-19', ['-O1', '-filetype=obj', '-o', object, assembly]);
  return object;
}

/** A PDB of fixtures/symbols/inlined.ll, with the program beside it; main is the first of its code. */
export function pdbOf(
  folder: string,
  target: string,
  format = '!"CodeView", i32 1',
): { pdb: string; exe: string } {
  const object = objectOf(folder, target, format);
  const exe = join(folder, `${target}.exe`);
  const link = ['/debug', '/entry:main', '/nodefaultlib', '/subsystem:console'];
  run('lld-link-19', [...link, `/out:${exe}`, object]);
  return { pdb: join(folder, `${target}.pdb`), exe };
}

/** The same as MinGW's compilers and linkers make it: a Windows program that holds its DWARF itself. */
export function mingwOf(folder: string): string {
  const object = objectOf(folder, 'x86_64-w64-windows-gnu', '!"Dwarf Version", i32 4');
  const [exe, start] = [join(folder, 'mingw.exe'), join(folder, 'start.o')];
  writeFileSync(join(folder, 'start.s'), '.globl __main\n__main: ret\n');
  run('llvm-mc-19', [
    '-triple=x86_64-w64-windows-gnu',
    '-filetype=obj',
    '-o',
    start,
    join(folder, 'start.s'),
  ]);
  run('ld.lld-19', ['-m', 'i386pep', '-e', 'main', '-o', exe, object, start]);
  return exe;
}

/** The Mach-O file in a dSYM of the same, for a processor such as x86_64, and the address of main in it. */
export function dsymOf(folder: string, arch: string): { path: string; main: bigint } {
  const object = objectOf(folder, `${arch}-apple-macosx11.0.0`, '!"Dwarf Version", i32 4');
  const program = join(folder, `${arch}.macho`);
  const platform = ['-platform_version', 'macos', '11.0', '11.0'];
  run('ld64.lld-19', ['-arch', arch, ...platform, '-e', '_main', '-o', program, object]);
  const path = join(folder, `${arch}.dwarf`);
  run('dsymutil-19', ['--flat', '-o', path, program]);
  const main = run('llvm-nm-19', [program])
    .split('\n')
    .find((line) => line.endsWith(' _main'));
  return { path, main: BigInt(`0x${main!.split(' ')[0]}`) };
}
