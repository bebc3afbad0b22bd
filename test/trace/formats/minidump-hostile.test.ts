/** Minidumps that lie: no byte, count or ring in one does harm. */
import { expect, it } from 'vitest';

import { Fault } from '../../../src/base/fault.ts';
import type { Trace } from '../../../src/trace/model/trace.ts';
import { readTrace } from '../../../src/trace/read.ts';
import { LINUX, minidump, STACK } from '../../support/minidump.ts';

const read = (bytes: Buffer): Trace => readTrace(bytes, 'trace');

/** Where a little-endian number stands in the file, first of all. */
const patched = (bytes: Buffer, at: number, value: number): Buffer => {
  const bad = Buffer.from(bytes);
  bad.writeUInt32LE(value, at);
  return bad;
};

it('counts, sizes and places that lie are refused by name', () => {
  const good = minidump(LINUX);
  const stream = (type: number): number => {
    for (let at = 32; at < 32 + 84; at += 12)
      if (good.readUInt32LE(at) === type) return good.readUInt32LE(at + 8);
    throw new Error(`no stream ${type}`);
  };
  expect(() => read(patched(good, 8, 0xffffffff))).toThrow('4294967295 streams, at most 4096');
  expect(() => read(patched(good, 8, 4096))).toThrow('the directory of streams would lie at');
  expect(() => read(patched(good, 4, 1))).toThrow('another version');
  expect(() => read(patched(good, stream(4), 65_537))).toThrow('at most 65536');
  expect(() => read(patched(good, stream(4), 4))).toThrow('4 entries in stream 4, which has');
  expect(() => read(patched(good, stream(7), 5))).toThrow('a minidump of processor 5');
  expect(() => read(patched(good, stream(3) + 8 + 32, 1 << 30))).toThrow(
    'the stack of thread 7 would lie at',
  );
  expect(() => read(patched(good, stream(4) + 4 + 20, good.length - 2))).toThrow('the name of a module');
  // A stream of a record that is too short for it.
  for (let at = 32; at < 32 + 84; at += 12)
    if ([6, 7].includes(good.readUInt32LE(at)))
      expect(() => read(patched(good, at + 4, 20))).toThrow(/stream [67] has 20 bytes, not/);
  expect(() => read(good.subarray(0, 40))).toThrow('it was cut off, or is damaged');
});

/** What becomes of bytes that may be anything: a Fault, or a trace of so many frames. */
function outcome(bytes: Buffer): string {
  try {
    return read(bytes)
      .threads.map(({ frames }) => frames.length)
      .join();
  } catch (error) {
    expect(error).toBeInstanceOf(Fault);
    return 'refused';
  }
}

it('no byte that is changed, and no cut, does harm', { timeout: 60_000 }, () => {
  for (const good of [minidump(LINUX), minidump({ ...LINUX, full: true })]) {
    const seen = new Set<string>();
    for (let at = 0; at < good.length; at++) {
      for (const value of [0xff, good[at]! ^ 1]) {
        const bad = Buffer.from(good);
        bad[at] = value;
        seen.add(outcome(bad));
      }
      seen.add(outcome(good.subarray(0, at)));
    }
    expect(seen.has('refused')).toBe(true);
    expect(seen.size).toBeGreaterThan(5);
  }
});

const frameOf = (i: number): bigint[] => [STACK + 16n * BigInt(i + 1), 0x5000_0000_0200n];

it('a frame pointer that is none is not followed', () => {
  const odd = structuredClone(LINUX);
  odd.threads[0]!.stack = [0n, 0x200n << 32n, 0x5000n, 0n];
  odd.exception!.registers!.fp = STACK + 4n;
  expect(read(minidump(odd)).threads[0]!.frames).toHaveLength(1);
  // Far above what the dump has of the stack.
  odd.exception!.registers!.fp = STACK + (1n << 40n);
  expect(read(minidump(odd)).threads[0]!.frames).toHaveLength(1);
});

it('names of modules have a limit in all', () => {
  const name = 'n'.repeat(250_000);
  const modules = Array.from({ length: 34 }, (_, i) => ({ base: BigInt(i) << 20n, size: 1, name }));
  expect(() => read(minidump({ ...LINUX, modules }))).toThrow('names of modules of more than 16777216 bytes');
});

it('frame pointers in a ring end, and a stack that is too deep is cut', () => {
  const ring = structuredClone(LINUX);
  ring.threads[0]!.stack = [0n, 0n, STACK + 16n, 0x5000_0000_0200n, 0n, 0n];
  expect(read(minidump(ring)).threads[0]!.frames).toHaveLength(2);
  const deep = structuredClone(LINUX);
  deep.threads[0]!.stack = [0n, 0n, ...Array.from({ length: 10_000 }, (_, i) => frameOf(i + 1)).flat()];
  expect(read(minidump(deep)).threads[0]!.frames).toHaveLength(4096);
});

it('many threads that claim one large stack take neither time nor memory', { timeout: 60_000 }, () => {
  const registers = { ip: 0x5000_0000_0100n, sp: STACK, fp: 0n };
  const threads = (stack: bigint[]): Buffer => {
    const [one] = [{ id: 1, registers, stackFrom: STACK, stack }];
    const good = minidump({ ...LINUX, threads: [one] });
    // One list of threads, each with the very same stack and context.
    const list = good.subarray(good.indexOf(Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0])) + 8);
    const entry = list.subarray(0, 48);
    const many = Buffer.alloc(4 + 48 * 60_000);
    many.writeUInt32LE(60_000, 0);
    for (let i = 0; i < 60_000; i++) entry.copy(many, 4 + 48 * i);
    const bad = Buffer.concat([good, many]);
    for (let at = 32; at < 32 + 84; at += 12)
      if (bad.readUInt32LE(at) === 3) {
        bad.writeUInt32LE(many.length, at + 4);
        bad.writeUInt32LE(good.length, at + 8);
      }
    return bad;
  };
  expect(() => read(threads(Array.from({ length: 5000 }, (_, i) => frameOf(i)).flat()))).toThrow(
    'more than 1000000 frames',
  );
  const found = read(
    threads(Array.from({ length: 400 }, (_, i) => (i % 40 === 39 ? 0x5000_0000_0200n : 5n))),
  );
  expect(found.threads[0]!.frames).toHaveLength(11);
  // Searching ends for all together.
  expect(found.threads.at(-1)!.frames).toHaveLength(1);
});
