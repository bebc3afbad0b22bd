/** Symbol files that lead elsewhere, and an engine that dies, hangs on or lies: what is answered all the same. */
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';

import { readObject } from '../../src/objects/object.ts';
import { type Resolved, symbolize } from '../../src/symbolize/symbolize.ts';
import { addressOf, elfOf, pdbOf, run } from '../support/symbols.ts';
import { tempFolder } from '../support/world.ts';

const elf = (path: string) => ({ path, format: 'elf' as const, arch: 'x86_64' });
const names = ({ places }: Resolved): unknown => places.map((place) => place.function);
/** What LLVM says when it is asked without our precautions. */
const plain = (path: string, address: bigint): string =>
  run('llvm-symbolizer-19', ['--no-demangle', '-e', path, `0x${address.toString(16)}`], tempFolder());

/** A program whose debug information lies in a file beside it, named by .gnu_debuglink. */
function linked(link = 'program.debug'): { path: string; shown: bigint } {
  const folder = tempFolder();
  const path = elfOf(folder, 'program');
  const shown = addressOf(path, 'shown');
  run('objcopy', ['--only-keep-debug', path, join(folder, 'program.debug')]);
  run('objcopy', ['--strip-debug', `--add-gnu-debuglink=${join(folder, 'program.debug')}`, path]);
  if (link !== 'program.debug') {
    const bytes = readFileSync(path);
    bytes.write(`${link}\0`, bytes.indexOf('program.debug\0'), 'latin1');
    writeFileSync(path, bytes);
  }
  return { path, shown };
}

it('a debug file that .gnu_debuglink names is not looked for', async () => {
  const { path, shown } = linked();
  expect(plain(path, shown)).toContain('inlined.cpp:5');
  expect(names((await symbolize(elf(path), [shown]))[0]!)).toEqual(['shown']);
});

it('a .gnu_debuglink that is a path is refused, by any name that LLVM takes for it', async () => {
  const { path, shown } = linked('../prog.debug');
  await expect(symbolize(elf(path), [shown])).rejects.toThrow('its .gnu_debuglink is a path');
  const other = linked('../prog.debug');
  run('objcopy', ['--rename-section', '.gnu_debuglink=__.gnu_debuglink', other.path]);
  await expect(symbolize(elf(other.path), [shown])).rejects.toThrow('its .gnu_debuglink is a path');
  run('objcopy', ['--rename-section', `__.gnu_debuglink=${'_'.repeat(300)}gnu_debuglink`, other.path]);
  await expect(symbolize(elf(other.path), [shown])).rejects.toThrow('its .gnu_debuglink is a path');
});

it('a debug file of the same build-id in a folder of the machine is not taken either', async () => {
  const { path, shown } = linked();
  run('objcopy', ['--remove-section=.gnu_debuglink', path]);
  const id = readObject(path).images[0]!.id!.slice('elf:'.length);
  const folder = join('/usr/lib/debug/.build-id', id.slice(0, 2));
  const debug = join(folder, `${id.slice(2)}.debug`);
  try {
    run('install', ['-D', join(path, '../program.debug'), debug]);
  } catch {
    console.log('a debug file in /usr/lib/debug: NOT tested, it cannot be written');
    return;
  }
  try {
    expect(plain(path, shown)).toContain('inlined.cpp:5');
    expect(names((await symbolize(elf(path), [shown]))[0]!)).toEqual(['shown']);
  } finally {
    rmSync(debug);
  }
});

it('.dwo files are not looked for, under whatever path a unit names; the file is known to be split', async () => {
  const folder = tempFolder();
  const path = elfOf(folder, 'program', ['-gsplit-dwarf']);
  const shown = addressOf(path, 'shown');
  expect(readdirSync(folder).some((name) => name.endsWith('.dwo'))).toBe(true);
  expect(plain(path, shown)).toContain('fail\n');
  expect(readObject(path).images[0]!.split).toBe(true);
  const [found] = await symbolize(elf(path), [shown]);
  // The line is the inlined call's, and the function is what it is inlined in: a lie that only `split` tells.
  expect(found!.places).toMatchObject([{ function: 'shown', line: 5 }]);
});

/** An engine of a few lines, which answers each address with a function of its name. */
function engine(body: string): string {
  const path = join(tempFolder(), 'engine');
  const answer = `printf '{"Address":"%s","ModuleName":"object","Symbol":[{"FunctionName":"f%s","FileName":"","Line":0}]}\\n' $a $a`;
  writeFileSync(
    path,
    `#!/bin/sh\ncase "$*" in *--no-inlines*) inlines=no;; *) inlines=yes;; esac\nwhile read -r a; do\n${body}\n${answer}\ndone\n`,
  );
  chmodSync(path, 0o755);
  return path;
}

const program = elfOf(tempFolder(), 'program');
process.env.TMPDIR = tempFolder();
/** What was not cleaned away behind an engine. */
const left = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('reenact-symbols-'));

it('where the engine dies it is asked without inlined calls, and goes on behind; where it dies again, that is said', async () => {
  const dying = engine(`case $a-$inlines in
    0x1003-yes|0x1005-*) kill -SEGV $$;;
    0x1008-yes) exit 1;;
  esac`);
  const wanted = [0x1009n, 0x1003n, 0x1001n, 0x1005n, 0x1008n, 0x1003n];
  const found = await symbolize(elf(program), wanted, dying);
  expect(found.map((one) => [names(one), one.degraded, one.error])).toEqual([
    [['f0x1009'], false, null],
    [['f0x1003'], true, null],
    [['f0x1001'], false, null],
    [[], false, 'engine_crash'],
    [['f0x1008'], true, null],
    [['f0x1003'], true, null],
  ]);
});

it('a section that says it is packed in the old way, and is not, is refused', async () => {
  const path = join(tempFolder(), 'packed');
  run('objcopy', ['--compress-debug-sections=zlib-gnu', program, path]);
  const bytes = readFileSync(path);
  bytes.write('ZIPP', bytes.indexOf('ZLIB'), 'latin1');
  writeFileSync(path, bytes);
  await expect(symbolize(elf(path), [0x1000n])).rejects.toThrow('is not packed by zlib');
});

it('an engine that always dies is not started for ever', async () => {
  const folder = tempFolder();
  const dying = engine(`echo x >> ${folder}/starts; kill -SEGV $$`);
  // Outside of code nothing is asked.
  const isCode = (at: bigint): boolean =>
    readObject(program).images[0]!.code!.some(([from, end]) => at >= BigInt(from) && at < BigInt(end));
  const wanted = Array.from({ length: 600 }, (_, i) => BigInt(0x1000 + i)).filter(isCode);
  const found = await symbolize(elf(program), wanted, dying);
  expect(new Set(found.map(({ error }) => error))).toEqual(new Set(['engine_crash']));
  const starts = readFileSync(join(folder, 'starts'), 'utf8').length / 2;
  expect(starts).toBeGreaterThan(10);
  expect(starts).toBeLessThan(100);
});

it('inlined calls without end are cut off, and an answer without end is none', async () => {
  const nested = engine(`if [ $a = 0x1002 ]; then
    printf '{"Address":"%s","ModuleName":"object","Symbol":[' $a
    i=0; while [ $i -lt 400 ]; do printf '{"FunctionName":"n%s"},' $i; i=$((i + 1)); done
    echo '{"FunctionName":"last"}]}'; continue
  fi
  if [ $a-$inlines = 0x1004-yes ]; then exec cat /dev/zero; fi`);
  const before = process.resourceUsage().maxRSS;
  const found = await symbolize(elf(program), [0x1002n, 0x1003n, 0x1004n, 0x1005n], nested);
  expect(process.resourceUsage().maxRSS - before).toBeLessThan(200_000);
  expect(found.map(({ places, degraded }) => [places.length, degraded])).toEqual([
    [256, false],
    [1, false],
    [1, true],
    [1, false],
  ]);
});

it('answers to what was not asked, and what is no answer, are refused; nothing is left behind', async () => {
  for (const [body, message] of [
    ['a=0x77', 'asked for 0x1001'],
    ['echo nonsense', 'the engine says nonsense'],
    [`echo '{"Address":"0x1001","Symbol":7}'`, 'asked for 0x1001'],
    ['echo null', 'asked for 0x1001'],
  ] as const)
    await expect(symbolize(elf(program), [0x1001n], engine(body))).rejects.toThrow(message);
  const nothing = engine(`echo '{"Address":"0x1001","Symbol":[null,3,{"Line":-1}]}'; continue`);
  expect(names((await symbolize(elf(program), [0x1001n], nothing))[0]!)).toEqual([]);
  const refusing = engine(`echo '{"Address":"0x0","Error":{"Message":"not this"}}'; exit 1`);
  await expect(symbolize(elf(program), [0x1001n], refusing)).rejects.toMatchObject({
    code: 'object_malformed',
    message: expect.stringContaining('not this'),
  });
  await expect(symbolize(elf(program), [0x1001n], 'no-such-engine')).rejects.toMatchObject({
    code: 'symbolizer_missing',
  });
  expect(left()).toEqual([]);
});

it('the engine has nothing of our environment, and limits to what it can take', async () => {
  process.env.REENACT_REGISTRY_PASSWORD = 'secret';
  const folder = tempFolder();
  const curious = engine(`env > ${folder}/env; cat /proc/self/limits > ${folder}/limits`);
  await symbolize(elf(program), [0x1001n], curious);
  delete process.env.REENACT_REGISTRY_PASSWORD;
  const env = readFileSync(join(folder, 'env'), 'utf8');
  expect(env).not.toContain('secret');
  expect(env).toContain('DEBUGINFOD_URLS=\n');
  const limits = readFileSync(join(folder, 'limits'), 'utf8');
  for (const limit of ['cpu time', 'address space', 'data size', 'file size', 'core file size', 'open files'])
    expect(limits).toMatch(new RegExp(`Max ${limit} +\\d+`));
});

it('a cut or changed symbol file ends in an answer or a Fault before any engine reads it', {
  timeout: 240_000,
}, async () => {
  // One of ours: what LLVM does with such files is LLVM's affair, and what becomes of one that dies is tried above.
  const own = engine('');
  const { pdb } = pdbOf(tempFolder(), 'x86_64-pc-windows-msvc');
  const path = join(tempFolder(), basename(pdb));
  for (const [good, format] of [
    [readFileSync(program), 'elf'],
    [readFileSync(pdb), 'pdb'],
  ] as const)
    for (let i = 1; i < 24; i++) {
      const bad = Buffer.from(i % 4 === 0 ? good.subarray(0, (good.length * i) >> 5) : good);
      for (let at = (i * 7919) % 4096; at < bad.length; at += 1499 * i) bad[at] = bad[at]! ^ (1 << (i % 8));
      writeFileSync(path, bad);
      const answer = await symbolize({ path, format, arch: 'x86_64' }, [0x1000n, 0x1150n], own).catch(
        (e) => e.code,
      );
      if (typeof answer === 'string') expect(answer).toBe('object_malformed');
      else expect(answer).toHaveLength(2);
    }
  expect(left()).toEqual([]);
});
