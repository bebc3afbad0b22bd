/** The door in code: defaults for everything, results as data, one class of errors. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { ReenactError } from '../../src/base/fault.ts';
import { openReenact } from '../../src/library/open.ts';
import { runManifests } from '../../src/reenact.ts';
import type { Engine } from '../../src/sandbox/engine.ts';
import { describeEngine, engine, manifest, tempFolder, world } from '../support/world.ts';

it('opens without a word, and touches nothing before it is asked to', async () => {
  const folder = tempFolder();
  const reenact = openReenact({ store: join(folder, 'store') });
  expect(Object.keys(reenact)).toContain('run');
  expect(readdirSync(folder)).toEqual([]);
});

it('what is wrong with a bundle is in the result', async () => {
  const path = join(tempFolder(), 'b.tar');
  writeFileSync(path, 'no bundle');
  const result = await openReenact().verifyBundle(path);
  expect(result).toMatchObject({ accepted: false, root: null, problems: [{ code: 'not_a_bundle' }] });
});

it('what is wrong with a call is a ReenactError that says what to do', async () => {
  const reenact = openReenact();
  for (const call of [
    () => reenact.run([]),
    () => reenact.run('nowhere.json'),
    () => reenact.run({ harness_version: '1' } as never),
    () => reenact.verifyBundle(tempFolder(), { receipts: ['one'] }),
    () => reenact.createBundle(tempFolder(), 'record.json'),
  ]) {
    const error = await call().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ReenactError);
    expect((error as ReenactError).next).not.toBe('');
  }
});

it('an engine that cannot be reached is said once it is needed, and asked again by the next call', async () => {
  let asked = 0;
  const broken = new Proxy({} as Engine, {
    get: (_target, name) => {
      if (name === 'then') return undefined;
      return () => {
        asked++;
        return Promise.reject(new Error('gone'));
      };
    },
  });
  const reenact = openReenact({ engine: broken, store: tempFolder() });
  const wanted = manifestOf();
  await expect(reenact.run(wanted)).rejects.toThrow('gone');
  await expect(reenact.run(wanted)).rejects.toThrow('gone');
  expect(asked).toBe(2);
});

function manifestOf(): Parameters<ReturnType<typeof openReenact>['run']>[0] {
  return {
    harness_version: '1',
    os: 'linux',
    sandbox_image_sha256: `sha256:${'0'.repeat(64)}` as never,
    seed: 1,
    run_instructions: 'deterministic-run.sh --seed $seed -- true',
  };
}

describeEngine('on the engine', () => {
  it('runs a manifest made in code, and packs, verifies and refuses what came of it', async () => {
    const folder = tempFolder();
    const events: string[] = [];
    const store = join(folder, 'store');
    const reenact = openReenact({ store, onEvent: ({ type }) => events.push(type) });
    const [record] = await reenact.run(manifest('/bin/crash'));
    expect(record).toMatchObject({ requested: 1 });
    expect(events).toContain('record');
    const bundle = join(folder, 'b.tar');
    const made = await reenact.createBundle(bundle, record!);
    expect(await reenact.verifyBundle(bundle)).toMatchObject({ accepted: true, root: made.root });
    const wanted = { version: 1 as const, gates: { replay_ratio: 1 } };
    expect((await reenact.verifyBundle(bundle, { policy: wanted })).demanded?.policy).toBe('in-code');
    await expect(reenact.createBundle(bundle, record!)).rejects.toMatchObject({ code: 'output_exists' });
  });

  it('runManifests wants the manifests alone', async () => {
    const folder = tempFolder();
    const cwd = process.cwd();
    process.chdir(folder);
    try {
      expect(await runManifests(await engine(), { manifests: [] })).toEqual([]);
      expect(world.fixture.repository).not.toBe('');
    } finally {
      process.chdir(cwd);
    }
  });
});
