/** Every wait for a server has an end, and a slow one that lives is not cut. */
import { expect, it } from 'vitest';

import { ask, type Request, readBounded, serverPatience } from '../../src/base/http.ts';
import { OtherLost, Unanswered } from '../../src/base/patience.ts';
import {
  type Behaviour,
  byteByByte,
  FAST,
  livingBut,
  silent,
  slowServer,
  stopping,
} from '../support/slow.ts';

/** As `ask`, all of it; and what a person was told. */
async function get(host: string, request: Partial<Request> = {}, signal?: AbortSignal) {
  const told: string[] = [];
  const waiting = { limits: FAST, tell: (text: string) => void told.push(text), signal };
  const patience = serverPatience('the server', host, new URL(`http://${host}/alive`), waiting);
  const began = performance.now();
  const work = ask(new URL(`http://${host}/x`), { redirect: 'error', ...request }, patience);
  const outcome = await work
    .then((answer) => readBounded(answer, 1 << 20))
    .then(String, (error: Error) => error);
  return { outcome, told, ms: performance.now() - began };
}

it('one that accepts and says nothing is lost, and a person heard of it', async () => {
  const host = await slowServer(silent);
  const { outcome, told, ms } = await get(host);
  expect(outcome).toBeInstanceOf(OtherLost);
  expect(told[0]).toMatch(`still waiting for the server at ${host}, which is to answer GET /x (0.1 s)`);
  // 60 s, a hundred times faster, and some room for a busy machine.
  expect(ms).toBeLessThan(600 + 400);
});

it('one that lives is waited for longer, and not for ever', async () => {
  const host = await slowServer(livingBut('/alive', silent));
  const { outcome, told, ms } = await get(host, { quietMs: 1_000 });
  expect(outcome).toBeInstanceOf(Unanswered);
  expect(outcome).not.toBeInstanceOf(OtherLost);
  expect(told.length).toBeGreaterThan(3);
  expect(ms).toBeGreaterThan(900);
});

it('an answer that stops in the middle is given up', async () => {
  const { outcome, told } = await get(await slowServer(livingBut('/alive', stopping)));
  expect(String(outcome)).toContain('it has been silent for 0.');
  expect(told[0]).toContain('go on with its answer to GET /x');
});

it('bytes that come slowly are no silence', async () => {
  // Silence of 450 ms would end it; it takes 2 s in all.
  const { outcome, told } = await get(await slowServer(byteByByte('abcdefghij', 200)));
  expect(outcome).toBe('abcdefghij');
  expect(told.every((text) => text.includes('answer'))).toBe(true);
});

it('a document has its time, however slowly it comes', async () => {
  const { outcome, ms } = await get(await slowServer(byteByByte('abcdefghij', 200)), { totalMs: 500 });
  expect(String(outcome)).toContain('it has not sent the whole answer in 0.5 s');
  expect(ms).toBeLessThan(1_500);
});

it('bytes that go slowly are no silence', async () => {
  const size = 64 << 20;
  const take: Behaviour = (socket) => {
    // Twenty megabytes a second, and the answer when all is there: the silence of 1 s is passed twice.
    let taken = 0;
    socket.on('data', (bytes) => {
      taken += bytes.length;
      socket.pause();
      setTimeout(() => socket.resume(), bytes.length / 20_000);
      if (taken >= size - 65_536) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone');
    });
  };
  const host = await slowServer(livingBut('/alive', take));
  const body = new Blob([new Uint8Array(size)]);
  const { outcome, ms } = await get(host, { method: 'PUT', body, quietMs: 1_000 });
  expect(outcome).toBe('done');
  expect(ms).toBeGreaterThan(1_500);
});

it('an interruption ends it at once', async () => {
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error('interrupted')), 50);
  const { outcome, ms } = await get(await slowServer(silent), {}, stop.signal);
  expect(String(outcome)).toContain('interrupted');
  expect(ms).toBeLessThan(250);
});
