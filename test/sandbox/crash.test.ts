import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { digestOf, hexOf } from '../../src/base/digest.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { crashBudget } from '../../src/replay/crashes.ts';
import { crashText } from '../../src/report/crash.ts';
import { type Crash, crashShape, parseCrashes } from '../../src/sandbox/crash.ts';
import { StderrSink } from '../../src/sandbox/stderr.ts';
import { newKey } from '../../src/sandbox/trailer.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { tempFolder } from '../support/world.ts';

const key = newKey();
const store = new BlobStore(tempFolder());
const core = Buffer.from('ELF core');

const WIRE = {
  signal: 11,
  code: 1,
  fault: { address: '0x8', area: 'null', module: null, offset: '0x8' },
  thread: 21,
  threads: [20, 21],
  thread_count: 2,
  frames: [
    { area: 'module', module: 1, offset: '0x123', by: 'counter' },
    { area: 'module', module: 0, offset: '0x40', by: 'frame_pointer' },
    { area: 'anonymous', module: null, offset: '0x10', by: 'unwind_table' },
  ],
  walk_ended: 'unaligned',
  modules: [
    { path_hex: '2f6e', base: '0x400000', build_id: null, sha256: null, not_hashed: 'deleted' },
    { path_hex: '2fff', base: '0x7f', build_id: 'ab12', sha256: 'a'.repeat(64), not_hashed: null },
  ],
  modules_left_out: 0,
  registers: { rip: '0x7f' },
  core: { size: core.length, sha256: hexOf(digestOf(core)) },
};

const bytesOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const mac = (text: string | Buffer, under = key): string =>
  createHmac('sha256', under).update(text).digest('hex');

function trailer(text: string): string {
  const payload = text.padEnd(128, ' ');
  return `${payload}\n${mac(payload)}\n`;
}

/** What PID 1 writes behind `before`, whole or with one part replaced. */
function stream(
  before: string,
  o: { record?: Buffer; recordMac?: string; core?: Buffer; mark?: string; size?: string; end?: string } = {},
): Buffer {
  const record = o.record ?? bytesOf(WIRE);
  const written = o.core ?? core;
  const size = o.size ?? String(written.length).padStart(12, '0');
  const end = o.end ?? `reenact-end/1 kind=signal value=11 oom=0 hidden=0 ms=1 crash=${record.length}`;
  return Buffer.concat([
    Buffer.from(`${before}${o.mark ?? mac('reenact-appendix/1')} ${size}\n`),
    written,
    record,
    Buffer.from(`\n${o.recordMac ?? mac(record)}\n${trailer(end)}`),
  ]);
}

async function read(whole: Buffer, cuts: number[] = []): Promise<{ crash: Crash | undefined; text: string }> {
  const sink = new StderrSink(store, key);
  const places = [0, ...[...cuts].sort((a, b) => a - b), whole.length];
  for (let i = 1; i < places.length; i++) sink.write(whole.subarray(places[i - 1], places[i]));
  const word = await sink.end();
  if (!word) sink.release();
  const { sha256 } = await sink.text.finish();
  const text = String(await store.get(sha256));
  const crash = word?.crashes?.program;
  if (crash?.core) expect(await store.get(crash.core.sha256)).toEqual(core);
  return { crash, text };
}

it('places are resolved to modules, and paths that are no text stay hexadecimal', () => {
  const crash = parseCrashes(bytesOf(WIRE)).program!;
  expect(crash).toMatchObject({
    signal: 'SIGSEGV',
    fault: { area: 'null', offset: '0x8' },
    frames: [
      { area: 'module', module: 'hex:2fff', build_id: 'ab12', offset: '0x123', by: 'counter' },
      { module: '/n', build_id: null, by: 'frame_pointer' },
      { area: 'anonymous', module: null, offset: '0x10' },
    ],
    modules: [{ not_hashed: 'deleted' }, { sha256: `sha256:${'a'.repeat(64)}` }],
  });
  const problems: never[] = [];
  crashShape.check(JSON.parse(JSON.stringify(crash)), '$', problems);
  expect(problems).toEqual([]);
  expect(crashText(crash)).toBe(
    'SIGSEGV in hex:2fff+0x123 at null+0x8, called from /n+0x40 < anonymous+0x10',
  );
});

const [frame] = WIRE.frames;
const [gone] = WIRE.modules;
const BAD: [string, unknown][] = [
  ['an unknown field', { ...WIRE, more: 1 }],
  ['a missing field', { ...WIRE, thread: undefined }],
  ['no frame', { ...WIRE, frames: [] }],
  ['too many frames', { ...WIRE, frames: Array(257).fill(frame) }],
  ['too many modules', { ...WIRE, modules: Array(129).fill(gone) }],
  ['a module that is not listed', { ...WIRE, frames: [{ ...frame, module: 2 }] }],
  ['a module outside a module', { ...WIRE, frames: [{ ...frame, area: 'heap' }] }],
  [
    'a fault in a module that is not listed',
    { ...WIRE, fault: { ...WIRE.fault, area: 'module', module: 9 } },
  ],
  ['an area nobody knows', { ...WIRE, frames: [{ ...frame, area: 'moon' }] }],
  ['an offset that is no number', { ...WIRE, frames: [{ ...frame, offset: '0x\u001b[2J' }] }],
  ['a register that is no number', { ...WIRE, registers: { rip: 'x' } }],
  ['a digest that is none', { ...WIRE, modules: [gone, { ...gone, sha256: 'A'.repeat(64) }] }],
  ['a signal that does not exist', { ...WIRE, signal: 65 }],
  ['a core that is too large', { ...WIRE, core: { ...WIRE.core, size: 2 ** 40 } }],
];

it.each(BAD)('a record with %s is refused', (_name, wire) => {
  expect(() => parseCrashes(bytesOf(wire))).toThrow('crash record that cannot be read');
  const all = { program: null, others: [wire], others_left_out: 0 };
  expect(() => parseCrashes(bytesOf(all))).toThrow('crash record that cannot be read');
});

it('stderr is split the same wherever it is cut, whatever the program wrote', async () => {
  const before = `said\n${'0'.repeat(64)} 000000000000\n{"signal":11}`;
  const whole = stream(before);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(whole.length), { maxLength: 8 }), async (cuts) => {
      const { crash, text } = await read(whole, cuts);
      expect(text).toBe(before);
      expect(crash?.core?.size).toBe(core.length);
    }),
    { numRuns: 20 },
  );
});

it('every byte behind the program’s own is vouched for', async () => {
  const whole = stream('said');
  for (let at = 4; at < whole.length; at++) {
    const bad = Buffer.from(whole);
    bad[at]! ^= 1;
    const got = await read(bad).catch(() => undefined);
    expect(got?.crash, `byte ${at}`).toBeUndefined();
  }
});

const NOT_BELIEVED: [string, Buffer][] = [
  ['another mark', stream('said', { mark: mac('reenact-appendix/1', newKey()) })],
  ['a record under another key', stream('said', { recordMac: mac(bytesOf(WIRE), newKey()) })],
  [
    'a record that the trailer does not name',
    stream('said', { end: 'reenact-end/1 kind=signal value=11 oom=0 hidden=0 ms=1' }),
  ],
  [
    'a program that went on behind the mark',
    stream('said', { end: 'reenact-end/1 kind=exit value=0 oom=0 hidden=0 ms=1' }),
  ],
  [
    'a longer record',
    stream('said', { end: 'reenact-end/1 kind=signal value=11 oom=0 hidden=0 ms=1 crash=9999' }),
  ],
  [
    'no mark at all',
    Buffer.from(
      `said${bytesOf(WIRE)}\n${mac(bytesOf(WIRE))}\n${trailer(`reenact-end/1 kind=signal value=11 oom=0 hidden=0 ms=1 crash=${bytesOf(WIRE).length}`)}`,
    ),
  ],
];

it.each(NOT_BELIEVED)('nothing is believed with %s', async (_name, whole) => {
  expect((await read(whole)).crash).toBeUndefined();
});

it('a size or a core beyond all limits ends the reading', async () => {
  await expect(read(stream('', { size: '999999999999' }))).rejects.toThrow('no size of a core');
  await expect(read(stream('', { size: 'x'.repeat(12) }))).rejects.toThrow('no size of a core');
  await expect(read(stream('', { record: Buffer.alloc(300_000) }))).rejects.toThrow('cannot be read');
  await expect(read(stream('', { record: Buffer.alloc(35_000_000) }))).rejects.toThrow(
    'more than a crash record and a log',
  );
  await expect(read(stream('', { core: Buffer.from('another!') }))).rejects.toThrow('another core');
  const none = { ...WIRE, core: null };
  await expect(read(stream('', { record: bytesOf(none) }))).rejects.toThrow('another core');
});

it('a time-out while a core is written is still a time-out', async () => {
  const sink = new StderrSink(store, key);
  sink.write(
    stream('said', {
      record: Buffer.alloc(0),
      end: 'reenact-end/1 kind=timeout value=0 oom=0 hidden=0 ms=1',
    }),
  );
  expect(await sink.end()).toMatchObject({ trailer: { kind: 'timeout' }, crashes: undefined });
  sink.discard();
});

it('a record of thousands of crashes can still be read back', () => {
  const crash = parseCrashes(bytesOf({ ...WIRE, frames: Array(256).fill(WIRE.frames[0]) })).program!;
  const within = crashBudget();
  const replays = Array.from({ length: 2000 }, (_, i) =>
    within({
      index: i + 1,
      seed: 1,
      ended: 'signal',
      final_state_sha256: digestOf('state'),
      exit_code: null,
      signal: 'SIGSEGV',
      duration_ms: 1,
      attempts: 1,
      crash,
    }),
  );
  expect(replays[0]).toHaveProperty('crash', crash);
  expect(replays[1999]).toMatchObject({ index: 2000, ended: 'signal' });
  expect(replays[1999]).not.toHaveProperty('crash');
  expect(JSON.stringify({ replays }, null, 2).length).toBeLessThan(LIMITS.documentBytes);
});
