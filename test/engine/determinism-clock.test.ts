import { expect, it } from 'vitest';

import { BlobStore } from '../../src/store/blobs.ts';
import { readState } from '../../src/verdict/explain.ts';
import { describeEngine, manifest, replay, tempFolder } from '../support/world.ts';

/** What the program prints, the same in both replays, within a time that stops at every read would not keep. */
async function printed(run: string): Promise<string> {
  const folder = tempFolder();
  const content = manifest(run, { determinism: 'full', replays: 2, limits: { timeout: 20 } });
  const record = await replay(content, { folder });
  expect(record).toMatchObject({ verdict: 'reproduced' });
  const store = new BlobStore(`${folder}/out`);
  const state = await readState(store, record.final_state_sha256!);
  return String(await store.get(state!.stdout.sha256));
}

const CASES: [string, string, RegExp][] = [
  ['five million reads end soon, a microsecond each', 'many', /^5000001000\n$/],
  ['who waits by reading the clock gives others their turn', 'turn', /^turn after \d{2} reads\n$/],
  ['who reads the clock is reached by a timer of it', 'alarm', /^alarm after 1\d{3} reads\n$/],
  ['children and new programs go on with the same clock', 'children', /^(0 1\n){3}kept\n$/],
  ['whatever a guest writes to the page, the clock goes on', 'overwrite', /^kept\n$/],
  ['a link to oneself leads to oneself, not to PID 1', 'links', /^1\n$/],
];

describeEngine('clock reads without a system call', () => {
  it.each(CASES)('%s', async (_name, what, text) => {
    expect(await printed(`/bin/clock ${what}`)).toMatch(text);
  });
});
