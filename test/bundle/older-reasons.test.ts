/** Bundles whose record has the reason that older releases gave: accepted where that follows, refused where it does not. */
import { expect, it } from 'vitest';

import { verifyBundle } from '../../src/bundle/verify/verify.ts';
import { makeCase } from '../support/case.ts';
import { forge, setManifest } from '../support/forge.ts';

it.each<[string, string[], boolean]>([
  ['expectation_not_met', ['a', 'a'], true],
  ['states_differ', ['a', 'a'], true],
  ['tie', ['a', 'a'], false],
  ['states_differ', ['a', 'a', 'b'], true],
  ['expectation_not_met', ['a', 'a', 'b'], false],
])(
  '%s, where the exit code is another, of replays that ended in %j: %s',
  async (reason, outputs, follows) => {
    const made = await makeCase(outputs);
    const path = await forge(made, (record, collected) => {
      setManifest(record, collected, { expect: { exit_code: 7 } });
      for (const replay of record.replays) replay.outcome = 'diverged';
      const gates = record.gates.map((gate) =>
        gate.name === 'replay_ratio' ? { ...gate, value: 0, pass: false } : gate,
      );
      Object.assign(record, { verdict: 'diverged', reason, flaky: false, replay_success_ratio: 0, gates });
      record.final_state_sha256 = record.replays[0]!.final_state_sha256;
    });
    const { problems, verdict_follows } = await verifyBundle(path);
    expect([verdict_follows, problems.some(({ code }) => code === 'verdict_differs')]).toEqual([
      follows,
      !follows,
    ]);
  },
);
