/** Cores of programs made here: whole walks, and each way in which one is cut. */
import { copyFileSync, cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { compiled, coreOf, endOf, first, hasGdb, readCore } from '../../support/cores.ts';
import { tempFolder } from '../../support/world.ts';

const CRASH = `
__attribute__((noinline)) int leaf(volatile int *p) { return *p; }
__attribute__((noinline)) int middle(volatile int *p) { return leaf(p) + 1; }
int main(int argc, char **argv) { return middle((int *)(long)(8 * argc)) + 1; }`;
const HANDLED = `#include <signal.h>
#include <stdlib.h>
static void handler(int s) { abort(); }
__attribute__((naked)) int first(int *p) { __asm__("movl (%rdi), %eax\\n ret\\n"); }
__attribute__((noinline)) int work(int *p) { return first(p) + 1; }
int main(void) { signal(SIGSEGV, handler); return work(0) + 1; }`;
const NOWHERE = `
__attribute__((noinline)) int call(int (*f)(int)) { return f(3) + 1; }
int main(int argc, char **argv) { int (*f)(int) = 0; return call(argc > 5 ? (int (*)(int))main : f) + 2; }`;
const ENDLESS = `
__attribute__((noinline)) int rec(int n) { volatile char b[200]; b[n % 200] = n; return rec(n + 1) + b[3]; }
int main(void) { return rec(0); }`;

describe.skipIf(!hasGdb)('a core (skipped without gdb)', () => {
  let folder: string;
  let program: string;
  let core: string;
  beforeAll(() => {
    folder = tempFolder();
    program = compiled(folder, 'crash', CRASH);
    core = coreOf(program);
  });

  it('is walked to its outermost frame, with signal, code and address', async () => {
    const trace = await readCore(core);
    expect(trace).toMatchObject({ format: 'core', signal: 'SIGSEGV', code: 1, fault_address: '0x8' });
    expect(endOf(trace)).toBe('6 outermost');
    expect(first(trace).frames.map(({ trust }) => trust)).toEqual(['context', ...Array(5).fill('cfi')]);
  });

  it.each([
    ['-static', '6 outermost'],
    ['-static-pie', '6 outermost'],
    ['-no-pie', '6 outermost'],
    ['-fno-asynchronous-unwind-tables -fno-unwind-tables -fno-optimize-sibling-calls', '6 outermost'],
  ])('of a program built with %s: %s', async (flags, want) => {
    const name = `built${flags.length}`;
    expect(endOf(await readCore(coreOf(compiled(folder, name, CRASH, ...flags.split(' ')))))).toBe(want);
  });

  it('of a program without tables ends where they are missing, and never as if it were whole', async () => {
    const flags = ['-g0', '-fno-asynchronous-unwind-tables', '-fno-unwind-tables', '-fomit-frame-pointer'];
    expect(endOf(await readCore(coreOf(compiled(folder, 'tableless', CRASH, ...flags))))).toBe(
      '1 no_unwind_table',
    );
  });

  it('passes a handler: no trampoline, and the interrupted instruction as it is', async () => {
    const handled = compiled(folder, 'handled', HANDLED, '-O0');
    const trace = await readCore(coreOf(handled, { before: ['handle SIGSEGV nostop noprint pass'] }));
    expect(trace.signal).toBe('SIGABRT');
    const { frames, ended } = first(trace);
    expect(ended).toMatchObject({ outermost: true });
    const interrupted = frames.findIndex(({ activation }, n) => n > 0 && activation);
    expect(
      frames.slice(interrupted - 1, interrupted + 3).map(({ image }) => trace.images[image!]!.path),
    ).toEqual(Array(4).fill(handled));
  });

  it('of a call to nowhere goes on with the caller', async () => {
    expect(endOf(await readCore(coreOf(compiled(folder, 'nowhere', NOWHERE))))).toBe('6 outermost');
  });

  it('of an endless recursion is cut at the limit', async () => {
    expect(endOf(await readCore(coreOf(compiled(folder, 'endless', ENDLESS))))).toBe('4096 limit');
  });

  it('whose program is gone, or another now, is cut; --exec and --sysroot give it back, and only the right one', async () => {
    const own = tempFolder();
    const gone = compiled(own, 'gone', CRASH);
    const left = coreOf(gone);
    const kept = join(own, 'kept');
    renameSync(gone, kept);
    expect(endOf(await readCore(left))).toBe('1 no_file');
    expect(endOf(await readCore(left, { executables: [kept] }))).toBe('6 outermost');
    expect(endOf(await readCore(left, { stored: [kept, core] }))).toBe('6 outermost');
    const root = join(own, 'root');
    mkdirSync(dirname(join(root, gone)), { recursive: true });
    copyFileSync(kept, join(root, gone));
    // With a root, nothing of this machine counts: its C library is not in there.
    expect(endOf(await readCore(left, { sysroot: root }))).toMatch(/^4 no_file$/);
    const libc = (await readCore(left)).images.find(({ path }) => path.includes('libc'))!.path;
    mkdirSync(dirname(join(root, libc)), { recursive: true });
    cpSync(libc, join(root, libc), { dereference: true });
    expect(endOf(await readCore(left, { sysroot: root }))).toBe('6 outermost');
    compiled(own, 'gone', CRASH.replace('+ 1', '+ 7'));
    expect(endOf(await readCore(left))).toBe('1 file_differs');
    await expect(readCore(left, { executables: [gone] })).rejects.toMatchObject({
      message: expect.stringContaining('is not what crashed: its build-id is'),
      next: expect.stringContaining('name the build that crashed'),
    });
  });

  it('of a program without a build-id is walked by the file that is named, and by no other', async () => {
    const own = tempFolder();
    const nameless = compiled(own, 'nameless', CRASH, '-Wl,--build-id=none');
    const left = coreOf(nameless);
    expect(endOf(await readCore(left))).toBe('1 no_file');
    expect(endOf(await readCore(left, { executables: [nameless] }))).toBe('6 outermost');
    const other = compiled(
      join(own, 'other'),
      'nameless',
      CRASH.replace('+ 1', '+ leaf(p)'),
      '-Wl,--build-id=none',
    );
    await expect(readCore(left, { executables: [other] })).rejects.toThrow('is not what crashed');
  });

  it('that was cut off, or written without its stack, says so', async () => {
    const short = join(folder, 'short.core');
    // Of the segments that are writable nothing is in the file; or it lies behind the file's end.
    const bytes = readFileSync(core);
    const [at, count] = [Number(bytes.readBigUInt64LE(32)), bytes.readUInt16LE(56)];
    for (const [field, value, words] of [
      [8, BigInt(bytes.length), 'the file was cut off'],
      [32, 0n, 'coredump_filter'],
    ] as const) {
      for (let n = 0; n < count; n++)
        if (bytes.readUInt32LE(at + 56 * n) === 1 && bytes.readUInt32LE(at + 56 * n + 4) & 2)
          bytes.writeBigUInt64LE(value, at + 56 * n + field);
      writeFileSync(short, bytes);
      const { ended } = first(await readCore(short));
      expect(ended).toMatchObject({ outermost: false, by: 'reenact', reason: 'no_memory', missing: null });
      expect(ended!.detail).toContain(words);
    }
    rmSync(short);
  });

  it('with any byte of it changed is read or refused, and never anything else', {
    timeout: 120_000,
  }, async () => {
    const bytes = readFileSync(core);
    const changed = join(folder, 'changed.core');
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % below;
    };
    const headers = Number(bytes.readBigUInt64LE(32)) + 56 * bytes.readUInt16LE(56);
    for (let n = 0; n < 300; n++) {
      const copy = Buffer.from(bytes);
      // Half of them in the headers and notes.
      copy[random(n % 2 === 0 ? headers + 8192 : copy.length)] = random(256);
      writeFileSync(changed, copy);
      const answer = await readCore(changed).then(
        endOf,
        (error: unknown) => (error as { code: string }).code,
      );
      expect(answer).toMatch(/^(?:\d+ [a-z_]+|trace_invalid)$/);
    }
  });
});
