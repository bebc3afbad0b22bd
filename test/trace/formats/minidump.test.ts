/** Minidumps: ids of modules, and each thread's walk. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Trace } from '../../../src/trace/model/trace.ts';
import { readTrace } from '../../../src/trace/read.ts';
import { codeView, type DumpParts, GUID_BYTES, LINUX, minidump, STACK } from '../../support/minidump.ts';
import { DEBUG, ID } from '../../support/traces.ts';

const read = (bytes: Buffer): Trace => readTrace(bytes, 'trace');
const GUID = '0102030405060708090A0B0C0D0E0F10';
it('of the crashed thread, the context is the exception’s; frame pointers are followed, else the stack is searched', () => {
  const trace = read(minidump(LINUX));
  expect(trace).toMatchObject({ format: 'minidump', signal: 'SIGSEGV' });
  expect(trace.images.map(({ id, debug_id, path, arch }) => [id, debug_id, path, arch])).toEqual([
    [`elf:${ID}`, DEBUG, '/bin/crash', 'x86_64'],
    [null, null, 'libc.so.6', 'x86_64'],
    // Breakpad of old kept 16 bytes of a build-id.
    [null, `${GUID}0`, 'old.so', 'x86_64'],
  ]);
  const [first, second] = trace.threads;
  expect(first!.frames.map(({ rel_addr, image, trust }) => [rel_addr, image, trust])).toEqual([
    ['0x1ec7', 0, 'context'],
    ['0x200', 0, 'fp'],
    ['0x300', 0, 'fp'],
    ['0x400', 1, 'scan'],
    ['0x500', 0, 'fp'],
  ]);
  expect(first!.frames.map(({ activation }) => activation)).toEqual([true, false, false, false, false]);
  // Its stack is not in the dump.
  expect(second).toMatchObject({ id: 8, crashed: false, frames: [{ ip: '0x10', image: null }] });
  expect(second!.frames).toHaveLength(1);
});

it.each([true, 'described'] as const)(
  'a full dump has its stacks in the list of all memory (%s), also where a thread says how long its stack is',
  (full) => {
    const [thread] = read(minidump({ ...LINUX, full })).threads;
    expect(thread!.frames).toHaveLength(5);
  },
);

it('without a context in the exception, the thread’s own counts; without an exception, none crashed', () => {
  const own = read(minidump({ ...LINUX, exception: { thread: 7, code: 99 } }));
  expect(own.signal).toBe('0x63');
  expect(own.threads[0]!.frames[0]!.rel_addr).toBe('0x100');
  const { exception: _, ...none } = LINUX;
  expect(read(minidump(none)).threads.map(({ crashed }) => crashed)).toEqual([false, false]);
});

it('of ELF, an id that is longer than any linker writes is none', () => {
  const of = (bytes: number): string | null => {
    const record = codeView('BpEL', 'ab'.repeat(bytes));
    return read(minidump({ ...LINUX, modules: [{ ...LINUX.modules[0]!, codeView: record }] })).images[0]!.id;
  };
  expect(of(64)).toBe(`elf:${'ab'.repeat(64)}`);
  expect(of(65)).toBeNull();
});

it('of Windows an image is known by the PDB it names, else by time stamp and size; of Apple by its UUID', () => {
  const base = { base: 0x40_0000n, size: 0x9000, name: 'c:\\app.exe' };
  const parts: DumpParts = {
    arch: 'x86',
    platform: 2,
    modules: [
      { ...base, codeView: codeView('RSDS', GUID_BYTES, 26) },
      { ...base, base: 0x50_0000n },
    ],
    threads: [
      {
        id: 1,
        registers: { ip: 0x40_2a3dn, sp: 0x1000n, fp: 0x1004n },
        stackFrom: 0x1000n,
        stack: [0, 0, 0x40_1000],
      },
    ],
  };
  const windows = read(minidump({ ...parts, exception: { thread: 1, code: 0xc0000005 } }));
  expect(windows.signal).toBe('EXCEPTION_ACCESS_VIOLATION');
  expect(windows.images.map(({ id, debug_id }) => [id, debug_id])).toEqual([
    [`pdb:${GUID}-1a`, `${GUID}1a`],
    ['pe:000000ab9000', null],
  ]);
  expect(windows.threads[0]!.frames.map(({ rel_addr, trust }) => [rel_addr, trust])).toEqual([
    ['0x2a3d', 'context'],
    ['0x1000', 'fp'],
  ]);
  const apple = read(minidump({ ...parts, platform: 0x8101, exception: { thread: 1, code: 1 } }));
  expect(apple.signal).toBe('EXC_BAD_ACCESS');
  expect(apple.images[0]!.id).toBe(`macho:${GUID.toLowerCase()}`);
});

it('of arm64, signed return addresses lose their signature, and the link register is a guess', () => {
  const signed = 0x00ab_0000_0000_0000n;
  const parts: DumpParts = {
    arch: 'arm64',
    platform: 0x8101,
    modules: [{ base: 0x1_0000_0000n, size: 0x9000, name: 'app', codeView: codeView('RSDS', GUID_BYTES) }],
    threads: [
      {
        id: 1,
        registers: { ip: 0x1_0000_0100n, sp: STACK, fp: STACK, link: 0x1_0000_0200n | signed },
        stackFrom: STACK,
        stack: [0n, 0x1_0000_0300n | signed],
      },
    ],
  };
  const walk = (dump: DumpParts): unknown =>
    read(minidump(dump)).threads[0]!.frames.map(({ rel_addr, trust }) => [rel_addr, trust]);
  expect(walk(parts)).toEqual([
    ['0x100', 'context'],
    ['0x200', 'scan'],
    ['0x300', 'fp'],
  ]);
  // Where both are the same, the thread stood behind a call and not in a leaf.
  parts.threads[0]!.registers.link = 0x1_0000_0300n;
  expect(walk(parts)).toEqual([
    ['0x100', 'context'],
    ['0x300', 'fp'],
  ]);
  parts.threads[0]!.stackFrom = 0n;
  expect(walk(parts)).toEqual([
    ['0x100', 'context'],
    ['0x300', 'scan'],
  ]);
});

const real = join(process.env.REENACT_CASES ?? '/nowhere', 'symbols/minidump/minidump2.dmp');
if (!existsSync(real)) console.log('a real minidump: NOT tested, REENACT_CASES has none');

it.skipIf(!existsSync(real))('a real dump has the ids and the stack that it is known to have', () => {
  const trace = read(readFileSync(real));
  expect(trace.signal).toBe('EXCEPTION_ACCESS_VIOLATION');
  expect(trace.images).toHaveLength(13);
  expect(trace.images.map(({ id }) => id)).toContain('pdb:36515FB5D04345E491F672FA2E2878C0-2');
  const [thread, other] = trace.threads;
  expect(thread).toMatchObject({ id: 0xbf4, crashed: true });
  expect(thread!.frames.slice(0, 4).map(({ ip, trust }) => [ip, trust])).toEqual([
    ['0x40429e', 'context'],
    ['0x404200', 'fp'],
    ['0x4053ec', 'fp'],
    ['0x7c816fd7', 'fp'],
  ]);
  // Behind the function that the thread began in, its starter's frame pointer leads nowhere.
  expect(new Set(thread!.frames.slice(4).map(({ trust }) => trust))).toEqual(new Set(['scan']));
  expect(trace.images[0]).toMatchObject({
    id: 'pdb:5A9832E5287241C1838ED98914E9B7FF-1',
    path: 'c:\\test_app.exe',
    base: '0x400000',
  });
  expect(other).toMatchObject({ id: 0x11c0, crashed: false });
});
