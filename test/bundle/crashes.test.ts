/** Crash signatures in a bundle follow from its crashes, or the bundle is refused: none of them is believed. */
import { describe, expect, it } from 'vitest';

import { verifyBundle } from '../../src/bundle/verify/verify.ts';
import type { Crash } from '../../src/sandbox/crash.ts';
import { checkCrashes } from '../../src/verdict/crash-check.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import type { CrashSummary } from '../../src/verdict/same-crash.ts';
import { makeCase } from '../support/case.ts';
import { crashAt, inModule } from '../support/crash-sites.ts';
import { forge } from '../support/forge.ts';

const here = crashAt([inModule('/usr/bin/app', '0x40', 'parse')]);
const there = crashAt([inModule('/usr/bin/app', '0x60', 'print')]);

function summaries(crash: Crash): CrashSummary[] {
  const gates = { replay_ratio: 1, forensic: false, image_check: 'engine' } as const;
  const replay = { index: 1, crash };
  return checkCrashes([replay], [replay], { gates, expect: undefined, crashesSeen: true }).summaries(replay);
}

/** Both replays of a record crashed here, as a record says it. */
function crash(record: ReplayRecord): void {
  for (const replay of record.replays)
    Object.assign(replay, { crash: here, crash_signatures: summaries(here) });
}

const LIES: [string, (record: ReplayRecord) => void][] = [
  ['a crash elsewhere under the signature', ({ replays }) => Object.assign(replays[0]!, { crash: there })],
  [
    'another signature over the crash',
    ({ replays }) => Object.assign(replays[0]!, { crash_signatures: summaries(there) }),
  ],
  [
    'another frame that names it',
    ({ replays }) => Object.assign(replays[0]!.crash_signatures![0]!, { site: 'app@elf:aa11+0x99' }),
  ],
  [
    'two crashes, and a verdict of one',
    ({ replays }) => Object.assign(replays[0]!, { crash: there, crash_signatures: summaries(there) }),
  ],
  [
    'two crashes of before signatures, and a verdict of one',
    ({ replays }) => {
      replays[0]!.crash = there;
      for (const replay of replays) delete replay.crash_signatures;
    },
  ],
  [
    'a row whose crash is nowhere',
    ({ replays }) => {
      delete replays[0]!.crash;
      replays[0]!.crash_as = 99;
    },
  ],
  [
    'a signature without a crash',
    ({ replays }) => {
      for (const replay of replays) delete replay.crash;
    },
  ],
];

describe('a record with crashes', () => {
  it.each<[string, (record: ReplayRecord) => void]>([
    ['as it is written', () => undefined],
    [
      'of before signatures',
      ({ replays }) => {
        for (const replay of replays) delete replay.crash_signatures;
      },
    ],
    [
      'in which one row names the other’s crash',
      ({ replays }) => {
        delete replays[1]!.crash;
        replays[1]!.crash_as = 1;
      },
    ],
  ])('is accepted %s', async (_name, change) => {
    const path = await forge(await makeCase(['a', 'a']), (record) => {
      crash(record);
      change(record);
    });
    expect(await verifyBundle(path)).toMatchObject({ accepted: true, verdict_follows: true, problems: [] });
  });

  it.each(LIES)('verdict_differs: %s', async (_name, lie) => {
    const path = await forge(await makeCase(['a', 'a']), (record) => {
      crash(record);
      lie(record);
    });
    const { problems, accepted } = await verifyBundle(path);
    expect(accepted).toBe(false);
    expect(problems.map(({ code }) => code)).toEqual(['verdict_differs']);
  });
});
