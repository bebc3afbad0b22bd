/** Profiles of pprof: each sample's stack, and that no lie in one does harm. */
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';

import { Fault } from '../../../src/base/fault.ts';
import type { Trace } from '../../../src/trace/model/trace.ts';
import { readTrace } from '../../../src/trace/read.ts';
import { field, message, profile } from '../../support/profile.ts';

const read = (bytes: Buffer): Trace => readTrace(bytes, 'trace');
const HEAD = field(1, message([1, 1], [2, 2]));

it('each sample is a thread that did not crash, with its locations as offsets of the file', () => {
  const trace = read(gzipSync(profile()));
  expect(read(profile())).toEqual(trace);
  // Go writes the time first.
  expect(read(Buffer.concat([field(9, 1_700_000_000_000_000_000n), profile()]))).toEqual(trace);
  expect(trace).toMatchObject({ format: 'pprof', signal: null });
  expect(trace.images.map(({ id, path, base, size }) => [id, path, base, size])).toEqual([
    ['elf:f1c3bcc0', '/bin/app', '0x500000', 0x3000],
    [null, '[vdso]', '0x7ffc00000000', 0x1000],
  ]);
  expect(trace.threads.map(({ id, crashed }) => [id, crashed])).toEqual([
    [0, false],
    [1, false],
  ]);
  expect(trace.threads[0]!.frames).toMatchObject([
    { image: 0, rel_addr: '0x1ec7', ip: '0x501ec7', activation: true, claimed: 'work, inlined in outer' },
    { image: 0, rel_addr: '0x2000', activation: false, claimed: 'outer', trust: 'prewalked' },
    { image: null, rel_addr: null, ip: '0xfffffffffffffff0', claimed: null },
  ]);
  expect(trace.threads[1]!.frames).toMatchObject([
    { image: 0, rel_addr: '0x2000', activation: true },
    // A location without an address has a name only; one that is not described keeps its row.
    { image: null, rel_addr: null, ip: null, claimed: 'work' },
    { image: null, rel_addr: null, ip: null, claimed: null },
  ]);
});

it('numbers that do not fit stand for nothing, and large ones are told apart', () => {
  const big = 1n << 60n;
  const trace = read(
    Buffer.concat([
      HEAD,
      message([2, message([1, big], [1, big + 1n], [1, 3])]),
      // Without an end; in memory below the place of its file; with ids that are no build-ids.
      message([3, message([1, 1], [2, 0x5000], [4, 0x1000], [5, 1], [6, 2])]),
      message([3, message([1, 2], [2, 0x1000], [3, 0x2000], [4, 0x2000], [6, 3])]),
      message([4, message([1, big], [2, 1], [3, 0x6000])], [4, message([1, big + 1n], [2, 1], [3, 0x3fff])]),
      message([4, message([1, 3], [2, 2], [3, 0x1500])]),
      ...['', '/app', 'abc', 'ab'.repeat(65)].map((text) => field(6, text)),
    ]),
  );
  expect(trace.images.map(({ id, base, size }) => [id, base, size])).toEqual([
    [null, '0x4000', null],
    [null, null, null],
  ]);
  expect(trace.threads[0]!.frames.map(({ image, rel_addr, ip }) => [image, rel_addr, ip])).toEqual([
    [0, '0x2000', '0x6000'],
    [null, null, '0x3fff'],
    [null, null, '0x1500'],
  ]);
});

it.each([
  ['gzip of something else', gzipSync('hello'), 'no profile of pprof'],
  ['gzip that is cut off', gzipSync(profile()).subarray(0, 100), 'gzip, but not of a profile'],
  ['a bomb', gzipSync(Buffer.alloc((64 << 20) + 1)), 'at most 67108864 bytes'],
  ['as large, unpacked', Buffer.concat([HEAD, Buffer.alloc(64 << 20)]), 'at most 67108864 are read'],
  ['a number without an end', Buffer.concat([HEAD, Buffer.alloc(11, 0xff)]), 'more than 64 bits'],
  ['a number of 65 bits', Buffer.concat([HEAD, Buffer.from('48ffffffffffffffffff02', 'hex')]), '64 bits'],
  ['a number that is cut off', Buffer.concat([HEAD, Buffer.from([0x48, 0x80])]), 'cut off'],
  ['a field of 2^60 bytes', Buffer.concat([HEAD, Buffer.from('12ffffffffffffffff0f', 'hex')]), 'longer than'],
  ['a field 0', Buffer.concat([HEAD, Buffer.from([0x00])]), 'a field of number 0'],
  ['a field 2^29', Buffer.concat([HEAD, Buffer.from('808080801000', 'hex')]), 'of number 536870912'],
  ['a group', Buffer.concat([HEAD, Buffer.from([0x4b])]), 'wire type 3'],
  ['a number for a sample', Buffer.concat([HEAD, field(2, 7)]), 'field 2 is no message'],
  ['no sample', HEAD, 'there is no frame in it'],
])('%s is refused by name', (_name, bytes, why) => {
  expect(() => read(bytes)).toThrow(Fault);
  expect(() => read(bytes)).toThrow(why);
});

it.each([
  ['samples', 2, 65_536],
  ['mappings', 3, 65_536],
  ['locations', 4, 1_000_000],
  ['functions', 5, 1_000_000],
  ['strings', 6, 2_000_000],
] as const)('of %s there is a limit', { timeout: 60_000 }, (what, number, most) => {
  const one = field(number, '');
  const many = Buffer.concat([HEAD, Buffer.alloc(one.length * (most + 1), one)]);
  expect(() => read(many)).toThrow(`more than ${most} ${what}`);
});

it('a million frames of one location are taken, one more is not; what they are called has a limit too', {
  timeout: 60_000,
}, () => {
  const of = (count: number, name: string, inlined = 1): Buffer =>
    Buffer.concat([
      HEAD,
      field(2, message([1, Buffer.alloc(count, 1)])),
      field(
        4,
        message(
          [1, 1],
          [3, 5],
          ...Array.from({ length: inlined }, (): [number, Buffer] => [4, message([1, 1])]),
        ),
      ),
      field(5, message([1, 1], [2, 1])),
      field(6, ''),
      field(6, name),
    ]);
  expect(read(of(1_000_000, 'f')).threads[0]!.frames).toHaveLength(1_000_000);
  expect(() => read(of(1_000_001, 'f'))).toThrow('more than 1000000 frames');
  const [frame] = read(of(1, 'n'.repeat(5000), 100)).threads[0]!.frames;
  expect(frame!.claimed!.length).toBe(32 * 1024 + 31 * ', inlined in '.length);
  expect(() => read(of(1_000_000, 'n'.repeat(200)))).toThrow('names of more than');
});

it('small fields by the million are read in time', { timeout: 60_000 }, () => {
  expect(() => read(Buffer.concat([HEAD, Buffer.alloc(63 << 20, Buffer.from([0x48, 0x01]))]))).toThrow(
    'no frame',
  );
});

it('no byte that is changed, and no cut, does harm', { timeout: 60_000 }, () => {
  const good = profile();
  const seen = new Set<string>();
  const outcome = (bytes: Buffer): string => {
    try {
      return read(bytes)
        .threads.map(({ frames }) => frames.length)
        .join();
    } catch (error) {
      expect(error).toBeInstanceOf(Fault);
      return 'refused';
    }
  };
  for (let at = 0; at < good.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const bad = Buffer.from(good);
      bad[at]! ^= 1 << bit;
      seen.add(outcome(bad));
    }
    seen.add(outcome(good.subarray(0, at)));
    seen.add(outcome(gzipSync(good).subarray(0, at)));
  }
  expect(seen.has('refused')).toBe(true);
  expect(seen.size).toBeGreaterThan(5);
});
