import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';

import { newKey, readTrailer, signalName, TRAILER_BYTES } from '../../src/sandbox/trailer.ts';

const key = newKey();

function trailer(text: string, under = key): Buffer {
  const payload = text.padEnd(128, ' ');
  return Buffer.from(`${payload}\n${createHmac('sha256', under).update(payload).digest('hex')}\n`);
}

const GOOD = 'reenact-end/1 kind=signal value=11 oom=0 hidden=-1 ms=12';

it('a true trailer is read', () => {
  expect(readTrailer(trailer(GOOD), key)).toEqual({
    kind: 'signal',
    value: 11,
    oom: 0,
    hidden: -1,
    durationMs: 12,
    crashBytes: null,
    logBytes: null,
    unproven: 0,
  });
  expect(trailer(GOOD)).toHaveLength(TRAILER_BYTES);
});

it('a trailer with any byte changed, cut, or under another key is not', () => {
  const good = trailer(GOOD);
  for (let at = 0; at < good.length; at++) {
    const bad = Buffer.from(good);
    bad[at]! ^= 1;
    expect(readTrailer(bad, key), `byte ${at}`).toBeUndefined();
  }
  expect(readTrailer(good.subarray(1), key)).toBeUndefined();
  expect(readTrailer(Buffer.alloc(0), key)).toBeUndefined();
  expect(readTrailer(trailer(GOOD, newKey()), key)).toBeUndefined();
});

it('an authenticated trailer of another format is refused', () => {
  expect(readTrailer(trailer('reenact-end/2 kind=exit value=0 oom=0 hidden=0 ms=1'), key)).toBeUndefined();
  expect(readTrailer(trailer('reenact-end/1 kind=other value=0 oom=0 hidden=0 ms=1'), key)).toBeUndefined();
});

it('places that could not be proven are counted', () => {
  expect(readTrailer(trailer(`${GOOD} crash=262144 log=33554432 unproven=99999`), key)?.unproven).toBe(
    99_999,
  );
});

it('signals have their standard names', () => {
  expect([6, 9, 11, 25, 34, 36].map(signalName)).toEqual([
    'SIGABRT',
    'SIGKILL',
    'SIGSEGV',
    'SIGXFSZ',
    'SIGRTMIN+0',
    'SIGRTMIN+2',
  ]);
});
