import { expect, it } from 'vitest';

import type { Manifest } from '../../src/manifest/definition.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { readState } from '../../src/verdict/explain.ts';
import { describeEngine, manifest, replay, tempFolder } from '../support/world.ts';

const USERS = ['1000:1000', '0:0'];

async function outputOf(folder: string, digest: string | null): Promise<string> {
  const store = new BlobStore(`${folder}/out`);
  const state = await readState(store, digest as never);
  return String(await store.get(state!.stdout.sha256));
}

describeEngine('a hostile program', () => {
  it.each(USERS)('cannot forge its ending or silence PID 1, as %s', async (user) => {
    const folder = tempFolder();
    const record = await replay(manifest('/bin/attack', { user, determinism: 'off' }), { folder });
    // It prints fake trailers without end, so only the true ending can be expected, not a stable state.
    expect(record.replays[0], await outputOf(folder, record.final_state_sha256)).toMatchObject({
      ended: 'signal',
      signal: 'SIGSEGV',
    });
  });

  it.each(USERS)('cannot leave the sandbox, as %s', async (user) => {
    const folder = tempFolder();
    const record = await replay(manifest('/bin/hog escape', { user }), { folder });
    expect(record.replays[0], await outputOf(folder, record.final_state_sha256)).toMatchObject({
      ended: 'exit',
      exit_code: 0,
    });
  });

  it('gains nothing from a setuid binary', async () => {
    const folder = tempFolder();
    const record = await replay(manifest('/bin/suid'), { folder });
    expect(await outputOf(folder, record.final_state_sha256)).toBe('1000 1000\n');
  });

  const MEMORY = { limits: { memory: 64 << 20 } };
  const cases: [string, string, Partial<Manifest>, object][] = [
    ['a memory hog ends as oom', '/bin/hog memory', MEMORY, { ended: 'oom' }],
    [
      'a child’s oom counts though the program exits 0',
      '/bin/hog childmemory',
      MEMORY,
      { ended: 'oom', exit_code: 0 },
    ],
    [
      '10 GB of output ends at the limit',
      '/bin/hog output',
      { limits: { output: 1 << 20 } },
      { ended: 'output_limit' },
    ],
    ['64 sparse files and one of 8 TB end at the limit', '/bin/hog sparse', {}, { ended: 'write_limit' }],
    ['a disk filler ends at the limit', '/bin/hog disk', {}, { ended: 'write_limit' }],
    [
      'a program that ignores every signal ends by time-out',
      '/bin/hog stubborn',
      { limits: { timeout: 1 } },
      { ended: 'timeout' },
    ],
    ['a fork bomb is contained', '/bin/hog forks', { limits: { pids: 64 } }, { ended: 'exit', exit_code: 7 }],
  ];
  it.each(cases)('%s', async (_name, run, more, expected) => {
    const record = await replay(manifest(run, more));
    expect(record.replays[0]).toMatchObject(expected);
    if (record.replays[0]!.ended !== 'exit') {
      expect(record).toMatchObject({
        verdict: 'inconclusive',
        reason: `limit_${record.replays[0]!.ended!.replace('_limit', '')}`,
      });
      expect(record.replays[0]!.attempts).toBe(1);
    }
  });
});
