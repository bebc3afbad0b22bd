import { expect, it } from 'vitest';

import type { Digest } from '../../src/base/digest.ts';
import type { Manifest } from '../../src/manifest/definition.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { readState } from '../../src/verdict/explain.ts';
import { describeEngine, manifest, replay, tempFolder } from '../support/world.ts';

const FULL: Partial<Manifest> = { determinism: 'full', replays: 20, limits: { timeout: 60 } };

async function outputOf(folder: string, digest: Digest | null): Promise<string> {
  const store = new BlobStore(`${folder}/out`);
  const state = await readState(store, digest!);
  return String(await store.get(state!.stdout.sha256));
}

async function printed(run: string, more: Partial<Manifest> = {}): Promise<string> {
  const folder = tempFolder();
  const record = await replay(manifest(run, { ...FULL, replays: 1, ...more }), { folder });
  return outputOf(folder, record.final_state_sha256);
}

const NOISE = "sh -c 'date; od -An -N8 -tx1 /dev/urandom; ls -l /proc/self/'";

const DIFFERENT: [string, string][] = [
  ['the time, random bytes and a listing, as a shell has them', NOISE],
  ['clocks, random bytes, addresses, processor, files', '/bin/entropy'],
  ['threads that race', '/bin/races race'],
  ['locks, conditions and time-outs', '/bin/races lock'],
  ['pipes, signals, timers, poll, epoll, locks of files', '/bin/processes'],
  [
    'a shell with background jobs',
    "sh -c 'for i in 1 2 3 4; do (sleep 0.0$i; cat /proc/uptime; ls -l /proc/self/) & done; wait'",
  ],
];

describeEngine('full determinism', () => {
  it.each(DIFFERENT)('%s: identical in 20 of 20, and not without it', async (_name, run) => {
    const record = await replay(manifest(run, FULL), { jobs: 4 });
    expect(record).toMatchObject({ verdict: 'reproduced', replay_success_ratio: 1 });
    expect(record.environment).toMatchObject({ determinism: 'full', virtual_time: 'calls' });
    const control = await replay(manifest(run, { ...FULL, determinism: 'off', replays: 3 }));
    expect(control).toMatchObject({ verdict: 'diverged' });
    expect(control.environment!.determinism).toBe('off');
    expect(control.environment).not.toHaveProperty('virtual_time');
  });

  it('switches a spin that changes nothing', async () => {
    const record = await replay(manifest('/bin/races spin', FULL), { jobs: 4 });
    expect(record).toMatchObject({ verdict: 'reproduced', replay_success_ratio: 1 });
  });

  it('gives other bytes for another seed, and the clock it was told', async () => {
    const random = "sh -c 'date +%s; od -An -N8 -tx1 /dev/urandom'";
    const [first, other, later] = [
      await printed(random),
      await printed(random, { seed: 8 }),
      await printed(random, { clock_start: 1_000_000_000 }),
    ];
    expect(first).toMatch(/^946684800\n/);
    expect(other).not.toBe(first);
    expect(later).toBe(first.replace('946684800', '1000000000'));
  });

  it('does not wait in real time', async () => {
    const record = await replay(manifest("sh -c 'sleep 100000; date +%s'", { ...FULL, replays: 1 }));
    expect(record.replays[0]).toMatchObject({ ended: 'exit', exit_code: 0 });
  });

  it('ends a loop that counts as an indeterminate spin, never as a result', async () => {
    const record = await replay(
      manifest('/bin/races count', { ...FULL, replays: 2, limits: { timeout: 3 } }),
    );
    expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'indeterminate_spin' });
  });

  it.each(['1000:1000', '0:0'])(
    'is not moved by an attack on its PID 1, and names what it refuses, as %s',
    async (user) => {
      const record = await replay(manifest('/bin/attack', { ...FULL, replays: 2, user }));
      expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'unsupported' });
      expect(record.message).toMatch(/^it made the system call ptrace \(101\)/);
      const folder = tempFolder();
      const quiet = await replay(manifest('/bin/attack quiet', { ...FULL, replays: 1, user }), { folder });
      expect(quiet.replays[0], await outputOf(folder, quiet.replays[0]!.final_state_sha256)).toMatchObject({
        ended: 'signal',
        signal: 'SIGSEGV',
      });
    },
  );

  const ENDINGS: [string, string, Partial<Manifest>, object][] = [
    ['a crash', '/bin/crash', {}, { ended: 'signal', signal: 'SIGSEGV' }],
    ['exit 139 is no SIGSEGV', "sh -c 'exit 139'", {}, { ended: 'exit', exit_code: 139 }],
    ['a real SIGKILL', '/bin/hog kill9', {}, { ended: 'signal', signal: 'SIGKILL' }],
    ['abort', '/bin/hog abort', {}, { ended: 'signal', signal: 'SIGABRT' }],
    ['a missing program', 'no-such-program', {}, { ended: 'exec_failed' }],
    ['memory', '/bin/hog memory', { limits: { memory: 64 << 20 } }, { ended: 'oom' }],
    ['output', '/bin/hog output', { limits: { output: 1 << 20 } }, { ended: 'output_limit' }],
    ['stubborn', '/bin/hog stubborn', { limits: { timeout: 1 } }, { ended: 'timeout' }],
    ['a fork bomb', '/bin/hog forks', { limits: { pids: 64 } }, { ended: 'exit', exit_code: 7 }],
  ];
  it.each(ENDINGS)('tells endings apart as before: %s', async (_name, run, more, expected) => {
    const record = await replay(manifest(run, { ...FULL, replays: 1, ...more }));
    expect(record.replays[0]).toMatchObject(expected);
  });
});
