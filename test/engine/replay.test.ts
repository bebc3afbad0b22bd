import { expect, it } from 'vitest';

import type { Digest } from '../../src/base/digest.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { readState } from '../../src/verdict/explain.ts';
import { describeEngine, manifest, replay, tempFolder, world } from '../support/world.ts';

async function stdoutOf(folder: string, digest: Digest | null): Promise<string> {
  const store = new BlobStore(`${folder}/out`);
  const state = await readState(store, digest!);
  return String(await store.get(state!.stdout.sha256));
}

describeEngine('a replay', () => {
  it('reproduces a crash 20 of 20 and names the signal', async () => {
    const record = await replay(manifest('/bin/crash', { replays: 20 }), { jobs: 4 });
    expect(record).toMatchObject({
      verdict: 'reproduced',
      reason: 'self_consistent',
      replay_success_ratio: 1,
      flaky: false,
    });
    expect(record.replays.map((r) => [r.index, r.ended, r.signal, r.outcome])).toEqual(
      Array.from({ length: 20 }, (_, i) => [i + 1, 'signal', 'SIGSEGV', 'match']),
    );
    expect(record.image).toMatchObject({
      kind: 'manifest',
      config: world.fixture.config,
      image_check: 'engine',
    });
  });

  it.each([
    ['exit 139 is no SIGSEGV', "sh -c 'exit 139'", { ended: 'exit', exit_code: 139, signal: null }],
    ['exit 137 is no SIGKILL', "sh -c 'exit 137'", { ended: 'exit', exit_code: 137, signal: null }],
    ['a real SIGKILL', '/bin/hog kill9', { ended: 'signal', exit_code: null, signal: 'SIGKILL' }],
    ['abort', '/bin/hog abort', { ended: 'signal', exit_code: null, signal: 'SIGABRT' }],
  ])('%s', async (_name, run, expected) => {
    expect((await replay(manifest(run))).replays[0]).toMatchObject(expected);
  });

  it('explains a divergence by the first differing byte', async () => {
    const record = await replay(
      manifest("sh -c 'echo same; od -An -N8 -tx1 /dev/urandom'", { replays: 3, determinism: 'off' }),
    );
    expect(record).toMatchObject({ verdict: 'diverged', reason: 'tie' });
    expect(record.divergence).toMatchObject({ kind: 'stdout' });
    expect(record.divergence!.offset).toBeGreaterThanOrEqual(5);
    expect(record.divergence!.context!.expected).toContain('same\\n');
  });

  it('compares with the expectation, ending first', async () => {
    const record = await replay(manifest("sh -c 'exit 1'", { expect: { exit_code: 0 } }));
    expect(record).toMatchObject({
      verdict: 'diverged',
      divergence: { kind: 'ending', expected: 'exit 0', actual: 'exit 1' },
    });
  });

  it('never calls a missing program reproduced', async () => {
    const record = await replay(manifest('no-such-program', { replays: 3 }));
    expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'exec_failed', replay_success_ratio: 0 });
    expect(record.message).toBe(
      'the program could not be executed: ENOENT (no such file or directory): no-such-program is in no folder of PATH (/harness:/bin)',
    );
    expect(await replay(manifest('deterministic-run.sh --seed $seed -- no-such-program'))).toMatchObject({
      reason: 'exec_failed',
    });
  });

  it('runs the image’s own command without one, with seed and fixed environment', async () => {
    const folder = tempFolder();
    const own = await replay(manifest('deterministic-run.sh --seed $seed'), { folder });
    expect(await stdoutOf(folder, own.final_state_sha256)).toBe('from the image\n');
    const env = await replay(manifest('env', { env: { MINE: 'x y' } }), { folder: tempFolder() });
    expect(env.verdict).toBe('reproduced');
    const other = tempFolder();
    const shown = await replay(manifest('env', { env: { MINE: 'x y' } }), { folder: other });
    const text = await stdoutOf(other, shown.final_state_sha256);
    for (const line of [
      'SEED=7',
      'MINE=x y',
      'TZ=UTC',
      'LC_ALL=C.UTF-8',
      'HOME=/work',
      'HOSTNAME=reenact',
      'FROM_IMAGE=yes',
      'PATH=/harness:/bin',
      'SOURCE_DATE_EPOCH=946684800',
    ])
      expect(text.split('\n')).toContain(line);
  });

  it('reports an index digest with the chain it resolved', async () => {
    const record = await replay(manifest('/bin/crash', { sandbox_image_sha256: world.index as Digest }));
    expect(record.image).toMatchObject({
      requested: world.index,
      kind: 'index',
      manifest: world.fixture.manifest,
      config: world.fixture.config,
    });
  });

  it('fails the forensic policy without an expectation, passes with one', async () => {
    const first = await replay(manifest('/bin/crash', { replays: 2 }), { policyName: 'forensic' });
    expect(first.gates.find((gate) => gate.name === 'forensic')).toMatchObject({
      pass: false,
      value: 'no expected state was given',
    });
    const expectation = { final_state_sha256: first.final_state_sha256!, signal: 'SIGSEGV' };
    const second = await replay(
      manifest('/bin/crash', { replays: 2, expect: expectation, kernel_version: '9.x' }),
      { policyName: 'forensic' },
    );
    expect(second.gates.find((gate) => gate.name === 'forensic')).toMatchObject({
      pass: false,
      value: 'a claim does not match what was observed',
    });
    const third = await replay(manifest('/bin/crash', { replays: 2, expect: expectation }), {
      policyName: 'forensic',
    });
    expect(third.gates.every((gate) => gate.pass)).toBe(true);
    expect(third.image!.image_check).toBe('content');
  });

  it('treats another platform as inconclusive', async () => {
    expect(await replay(manifest('/bin/crash', { os: 'windows' }))).toMatchObject({
      verdict: 'inconclusive',
      reason: 'unsupported_platform',
    });
  });
});
