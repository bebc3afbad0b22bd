/** Instructions that no setting traps are answered the same whether cpuid traps or is rewritten, unseen by the program. */
import { expect, it } from 'vitest';

import type { Mechanism } from '../../src/sandbox/mechanisms.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { readState } from '../../src/verdict/explain.ts';
import { describeEngine, manifest, replay, tempFolder } from '../support/world.ts';

/** What Linux prints of everything that is not the processor's own word. */
const LINUX = [
  'bytes in the file as they are',
  'pending 0',
  'handled 2 times',
  'memory file 64 0f a2',
  'handler of signal 4, vendor 756e6547',
];
const OURS = [
  ...['main', 'border', 'thread', 'child', 'writable code', 'code made executable', 'blocked'].map(
    (where) => `${where} 756e6547`,
  ),
  'one 000306a9 00010800 00982201 078bfbff',
  'rdpid 0',
  'xgetbv 3 0',
  'lsl 0 0',
];

/** What counters.c prints on Linux, and what tells that no read stopped in the end: each moves the clock by a tick. */
const COUNTERS = [
  ...[
    'interrupted 0',
    'torn 0',
    'back 0',
    'later 1',
    'kept 1',
    'threads 0',
    'child 0',
    'text 1',
    'faults 3',
    'again 1',
  ],
  'ours: the last step is 1000, as one of a read without a stop',
  'ours: processor 0',
];

/** What calls.c prints on Linux, and that each of its calls has become a jump. */
const CALLS = [
  'links -22 -2 -14 -22 200',
  'opens -2 -20 -9 -40 200 200',
  'stats -2 -2 -2 0 -9 0',
  'waits 202 3',
  'beside 0',
  'kept 156',
  'text 1',
  'ours: 5 calls do not stop, 0',
];

async function outputWithout(without: Mechanism[], program = '/bin/instructions'): Promise<string[]> {
  const out = tempFolder();
  const determinism = { mode: 'full' as const, allowDegraded: false, without };
  const record = await replay(manifest(program, { replays: 3 }), { determinism, out });
  expect(record).toMatchObject({ verdict: 'reproduced', degraded: [] });
  const store = new BlobStore(out);
  const state = (await readState(store, record.final_state_sha256!))!;
  expect(state.exit_code).toBe(0);
  return String(await store.get(state.stdout.sha256)).split('\n');
}

describeEngine('a program that asks the processor in every way', () => {
  it.each([[[]], [['cpuid_trap']]] as [Mechanism[]][])(
    'without %j is told of the same processor, and finds its signals and its text as they were',
    async (without) => {
      const lines = await outputWithout(without);
      for (const line of [...LINUX, ...OURS]) expect(lines).toContain(line);
    },
  );

  it('is told the very same in both ways', async () => {
    expect(await outputWithout(['cpuid_trap'])).toEqual(await outputWithout([]));
  });
});

describeEngine('a program that reads the time stamp counter in loops', () => {
  it.each([[[]], [['cpuid_trap']]] as [Mechanism[]][])(
    'without %j reads it without stops, and finds its signals, its registers and its text as they were',
    async (without) => {
      const lines = await outputWithout(without, '/bin/counters');
      expect(lines.filter(Boolean).sort()).toEqual([...COUNTERS].sort());
    },
  );
});

describeEngine('a program that looks often for what is not there, and takes locks that are free', () => {
  it.each([[[]], [['cpuid_trap']]] as [Mechanism[]][])(
    'without %j does so without stops, is answered as Linux answers, and sees time pass and its text as ever',
    async (without) => {
      const lines = await outputWithout(without, '/bin/calls');
      expect(lines.filter(Boolean)).toEqual(CALLS);
    },
  );
});
