/** What progress says of the time that is left: what the replays of this manifest took, and nothing before that is known. */
import { expect, it } from 'vitest';

import type { RunEvent } from '../../src/replay/events.ts';
import { Progress } from '../../src/report/progress.ts';

function watched(total: number) {
  let nowMs = 1000;
  const lines: string[] = [];
  const out = { isTTY: true, write: (text: string) => lines.push(text) };
  const progress = new Progress('bar', total, out, { now: () => nowMs, monotonicMs: () => nowMs });
  return {
    replay: (manifest: string, tookMs: number, resumed = false): string => {
      nowMs += tookMs;
      progress.on({ type: 'replay', manifest, replay: {}, resumed, outcome: 'match' } as RunEvent);
      return lines.at(-1)!.replace(/^[\s\S]*\] /, '');
    },
  };
}

it('leaves the time out until some replays are done, and never counts what an image took', () => {
  const { replay } = watched(20);
  expect(replay('m.json', 60_000)).toBe('1/20 replays, 0 diverged, ratio 1.00');
  expect(replay('m.json', 500)).not.toContain('left');
  expect(replay('m.json', 500)).not.toContain('left');
  expect(replay('m.json', 500)).toBe('4/20 replays, 0 diverged, ratio 1.00, about 8 s left');
});

it('replays of an earlier run do not count', () => {
  const { replay } = watched(20);
  for (let n = 0; n < 10; n++) expect(replay('m.json', 0, true)).not.toContain('left');
  replay('m.json', 5000);
  replay('m.json', 2000);
  replay('m.json', 2000);
  expect(replay('m.json', 2000)).toContain('about 12 s left');
});

it('a manifest that begins says nothing yet of how long it takes; the last replay is done', () => {
  const { replay } = watched(6);
  for (let n = 0; n < 3; n++) replay('fast.json', 100);
  expect(replay('fast.json', 100)).toContain('about 1 s left');
  expect(replay('slow.json', 9000)).toBe('5/6 replays, 0 diverged, ratio 1.00');
  expect(replay('slow.json', 9000)).toBe('6/6 replays, 0 diverged, ratio 1.00, done');
});
