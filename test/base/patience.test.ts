/** Who waits for an engine: is told, is not kept for ever by one that is dead, and is not hurried by one that is slow. */
import { expect, it } from 'vitest';

import { sleep } from '../../src/base/clock.ts';
import { OtherLost, PATIENCE, Patience } from '../../src/base/patience.ts';

const LIMITS = { ...PATIENCE, tellMs: 20, lookMs: 40, answerMs: 30, lostAnswerMs: 10, aliveQuietMs: 200 };
const never = (): Promise<never> => new Promise(() => undefined);

function patient(ping: () => Promise<unknown>): { patience: Patience; told: string[] } {
  const told: string[] = [];
  const waiting = { tell: (text: string) => void told.push(text), limits: LIMITS };
  return { patience: new Patience({ name: 'the engine', address: 'unix:///e', ping }, waiting), told };
}

it('gives what is answered at once, and says nothing', async () => {
  const { patience, told } = patient(never);
  expect(await patience.wait({ what: 'x' }, async () => 7)).toBe(7);
  await expect(patience.wait({ what: 'x' }, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(told).toEqual([]);
});

it('tells of what takes long, and waits for an engine that lives', async () => {
  const { patience, told } = patient(async () => 'OK');
  expect(await patience.wait({ what: 'create' }, () => sleep(100).then(() => 7))).toBe(7);
  expect(told[0]).toContain('still waiting for the engine at unix:///e, which is to create');
  expect(told.length).toBeGreaterThan(1);
});

it('takes a refusal for a sign of life', async () => {
  const { patience } = patient(() => Promise.reject(Object.assign(new Error('403'), { statusCode: 403 })));
  expect(await patience.wait({ what: 'create' }, () => sleep(100).then(() => 7))).toBe(7);
});

it.each([
  ['does not answer', never],
  ['refuses connections', () => Promise.reject(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }))],
])('gives up an engine that %s, also where the request may take for ever', async (_, ping) => {
  const { patience } = patient(ping);
  const wait = { what: 'wait', quietMs: Number.POSITIVE_INFINITY };
  await expect(patience.wait(wait, never)).rejects.toThrow(OtherLost);
});

it('does not ask one that is lost until it lives again', async () => {
  let lives = false;
  const { patience } = patient(() => (lives ? Promise.resolve('OK') : never()));
  await expect(patience.wait({ what: 'x' }, never)).rejects.toThrow(OtherLost);
  let asked = 0;
  const ask = (): Promise<number> => patience.wait({ what: 'x' }, async () => ++asked);
  await expect(ask()).rejects.toThrow(OtherLost);
  expect(asked).toBe(0);
  lives = true;
  expect(await ask()).toBe(1);
});

it('ends a request that takes too long even where the engine lives', async () => {
  const { patience } = patient(async () => 'OK');
  await expect(patience.wait({ what: 'x' }, never)).rejects.toThrow('it has been silent for');
});

it('many that wait look once', async () => {
  let looks = 0;
  const { patience } = patient(() => {
    looks++;
    return never();
  });
  const waits = Array.from({ length: 20 }, () => patience.wait({ what: 'x' }, never).catch(() => undefined));
  await Promise.all(waits);
  expect(looks).toBe(1);
});

it('an interruption is what it says, also of one that cannot be asked whether it lives', async () => {
  const stop = new AbortController();
  const told: string[] = [];
  const tell = (text: string): void => void told.push(text);
  const waiting = { signal: stop.signal, tell, limits: { ...LIMITS, tellMs: 1_000, quietMs: 5_000 } };
  const patience = new Patience({ name: 'the database', address: 'd' }, waiting);
  setTimeout(() => stop.abort(new Error('interrupted')), 30);
  await expect(patience.wait({ what: 'x' }, never)).rejects.toThrow('interrupted');
  expect(told).toEqual([]);
});
