/** The event log behind a program's stderr, and where two of them part. */
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { desyncRows } from '../../src/report/desync.ts';
import { EventLog, eventShape } from '../../src/sandbox/event-log.ts';
import { StderrSink } from '../../src/sandbox/stderr.ts';
import { newKey } from '../../src/sandbox/trailer.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { comparedLogs, desyncShape } from '../../src/verdict/desync.ts';
import { tempFolder } from '../support/world.ts';

const key = newKey();
const mac = (text: string | Buffer): string => createHmac('sha256', key).update(text).digest('hex');

/** One event as harness/supervisor/loop/event_log.c lays it out. */
function event(
  o: { thread?: number; signal?: true; number?: number; argument?: bigint; data?: string } = {},
) {
  const b = Buffer.alloc(128);
  const data = Buffer.from(o.data ?? '');
  b.writeInt32LE(o.thread ?? 20, 0);
  b[4] = o.signal ? 1 : 0;
  b[5] = 1;
  b[6] = data.length;
  b.writeBigInt64LE(BigInt(o.number ?? 1), 8);
  b.writeBigUInt64LE(o.argument ?? 7n, 40);
  b.writeBigInt64LE(-2n, 88);
  data.copy(b, 104);
  return b;
}

function trailer(text: string): string {
  const payload = text.padEnd(128, ' ');
  return `${payload}\n${mac(payload)}\n`;
}

function stream(log: Buffer, o: { seal?: string; length?: number } = {}): Buffer {
  const end = `reenact-end/1 kind=exit value=0 oom=0 hidden=0 ms=1 log=${o.length ?? log.length}`;
  return Buffer.concat([
    Buffer.from(`said${mac('reenact-appendix/1')} 000000000000\n`),
    log,
    Buffer.from(`\n${o.seal ?? mac(log)}\n${trailer(end)}`),
  ]);
}

async function read(whole: Buffer, cuts: number[] = []): Promise<Buffer | undefined> {
  const sink = new StderrSink(new BlobStore(tempFolder()), key);
  const places = [0, ...[...cuts].sort((a, b) => a - b), whole.length];
  for (let i = 1; i < places.length; i++) sink.write(whole.subarray(places[i - 1], places[i]));
  const word = await sink.end();
  sink.discard();
  return word?.log;
}

it('a log is read the same wherever the stream is cut', async () => {
  const log = Buffer.concat([event(), event({ number: 0 })]);
  const whole = stream(log);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(whole.length), { maxLength: 6 }), async (cuts) => {
      expect(await read(whole, cuts)).toEqual(log);
    }),
    { numRuns: 50 },
  );
  expect(await read(stream(Buffer.alloc(0)))).toEqual(Buffer.alloc(0));
});

it('nothing is believed of a log that is not under the key', async () => {
  expect(await read(stream(event(), { seal: '0'.repeat(64) }))).toBeUndefined();
  const flipped = stream(event());
  flipped[100]! ^= 1;
  expect(await read(flipped)).toBeUndefined();
});

it('a log of half an event is refused', () => {
  expect(() => new EventLog(Buffer.alloc(100))).toThrow('event log of 100 bytes');
});

it('an event is what the format says', () => {
  const problems: never[] = [];
  const read = new EventLog(event({ data: 'hello\n' })).at(0);
  eventShape.check(read, '$', problems);
  expect(problems).toEqual([]);
  expect(read).toMatchObject({ thread: 20, name: 'write', answer: '-2', excerpt: '68656c6c6f0a' });
  expect(read.arguments[1]).toBe('0x7');
  expect(new EventLog(event({ signal: true, number: 11 })).at(0).name).toBe('SIGSEGV');
  expect(new EventLog(event({ number: 437 })).at(0).name).toBe('openat2');
  expect(new EventLog(event({ number: 900 })).at(0).name).toBe('call 900');
});

function parted(a: Buffer[], b: Buffer[]) {
  return {
    replays: [1, 4] as [number, number],
    tries: 1,
    ...comparedLogs(new EventLog(Buffer.concat(a)), new EventLog(Buffer.concat(b))),
  };
}

it('two logs part at their first difference, with what was before', () => {
  const same = [event(), event({ number: 3 }), event({ number: 5 }), event({ number: 9 })];
  const found = parted([...same, event({ data: 'a' })], [...same, event({ data: 'b' }), event()]);
  expect(found.alike).toBe(4);
  expect(found.before.map(({ name }) => name)).toEqual(['close', 'fstat', 'mmap']);
  expect(desyncRows(found)).toEqual([
    ['parts', 'at event 5 of replays 1 and 4, run again, by length'],
    ['  after', 'thread 20: mmap(0x0, 0x7, 0x0, …) = -2'],
    ['  expected', 'thread 20: write(0x0, 0x7, 0x0, …) = -2 "a"'],
    ['  actual', 'thread 20: write(0x0, 0x7, 0x0, …) = -2 "b"'],
  ]);
  const problems: never[] = [];
  desyncShape.check(JSON.parse(JSON.stringify(found)), '$', problems);
  expect(problems).toEqual([]);
});

it('a log that ends sooner, a signal and another thread are told apart', () => {
  expect(desyncRows(parted([event(), event()], [event()])).at(-1)).toEqual([
    '  actual',
    'nothing: it had ended',
  ]);
  const signal = event({ signal: true, number: 14, thread: 21 });
  expect(desyncRows(parted([signal], [event()])).slice(0, 2)).toEqual([
    ['parts', 'at event 1 of replays 1 and 4, run again, by thread, call, arguments'],
    ['  expected', 'thread 21: gets SIGALRM'],
  ]);
});

it('where nothing differs, nothing is made up', () => {
  expect(desyncRows(parted([event()], [event()]))).toEqual([
    ['parts', 'replays 1 and 4, run again, made the same 1 calls: what differs stands in none of them'],
  ]);
  expect(desyncRows({ ...parted([event()], [event()]), tries: null })[0]![1]).toContain('it differs rarely');
});
