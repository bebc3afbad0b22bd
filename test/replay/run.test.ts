/** The logic of a run, over an engine in memory: what becomes of replays, failures, interruptions, and that nothing is left. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { digestOf } from '../../src/base/digest.ts';
import { Fault, type FaultCode } from '../../src/base/fault.ts';
import type { Manifest } from '../../src/manifest/definition.ts';
import { loadManifests } from '../../src/manifest/load.ts';
import { runManifests } from '../../src/reenact.ts';
import type { RunEvent } from '../../src/replay/events.ts';
import type { RunOptions } from '../../src/replay/options.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import { IMAGE, keepImage, MemoryEngine, memoryHarness, type Ran } from '../support/memory-engine.ts';
import { tempFolder } from '../support/world.ts';

const MANIFEST: Manifest = {
  harness_version: '1',
  os: 'linux',
  sandbox_image_sha256: IMAGE,
  seed: 7,
  run_instructions: 'app',
  replays: 3,
  determinism: 'off',
};

interface Options extends Partial<RunOptions> {
  manifest?: Partial<Manifest>;
  folder?: string;
}

async function run(
  engine: MemoryEngine,
  { manifest, folder = tempFolder(), ...o }: Options = {},
): Promise<ReplayRecord> {
  writeFileSync(join(folder, 'm.json'), JSON.stringify({ ...MANIFEST, ...manifest }));
  const imageCache = join(folder, 'images');
  await keepImage(new BlobStore(imageCache));
  const [record] = await runManifests(engine, {
    manifests: await loadManifests([join(folder, 'm.json')]),
    out: join(folder, 'out'),
    imageCache,
    harness: memoryHarness(),
    jobs: 1,
    ...o,
  });
  return record!;
}

const engineOf = (
  program: (nth: number) => Ran = () => ({ stdout: 'same', files: { f: 'x' } }),
): MemoryEngine => new MemoryEngine(program);

function expectEmpty({ containers, volumes }: MemoryEngine): void {
  expect([[...containers.keys()], [...volumes.keys()]]).toEqual([[], []]);
}

it('replays that end alike are reproduced, each in a container of its own', async () => {
  const engine = engineOf();
  const record = await run(engine);
  expect(record).toMatchObject({ verdict: 'reproduced', replay_success_ratio: 1, flaky: false });
  expect(record.replays.map(({ outcome, attempts }) => [outcome, attempts])).toEqual([
    ['match', 1],
    ['match', 1],
    ['match', 1],
  ]);
  // The probe, and three replays; a helper is never started.
  expect(engine.calls.filter((call) => call === 'start')).toHaveLength(4);
  expectEmpty(engine);
});

it.each<[string, (nth: number) => Ran]>([
  ['output', (nth) => ({ stdout: nth === 2 ? 'other' : 'same' })],
  ['files', (nth) => ({ files: { f: String(nth === 2) } })],
  ['exit status', (nth) => ({ exitCode: nth === 2 ? 1 : 0 })],
])('one that differs in its %s is a divergence', async (_, program) => {
  const record = await run(engineOf(program));
  expect(record).toMatchObject({ verdict: 'diverged', flaky: true });
  expect(record.replays.map(({ outcome }) => outcome)).toEqual(['match', 'diverged', 'match']);
});

it('an expected state decides against all of them', async () => {
  const expect_ = { final_state_sha256: digestOf('another state') };
  const record = await run(engineOf(), { manifest: { expect: expect_ } });
  expect(record).toMatchObject({ verdict: 'diverged', replay_success_ratio: 0 });
});

const fails =
  (call: string, code: FaultCode, when: (nth: number) => boolean) =>
  (name: string, nth: number): void => {
    if (name === call && when(nth)) throw new Fault(code, `${name} fails on purpose`);
  };

/** With the number of the call that the first replay makes, after the probe and the helper. */
it.concurrent.each<[string, number]>([
  ['create', 3],
  ['inspect', 3],
  ['attach', 2],
  ['start', 2],
  ['waitNextExit', 2],
  ['exportFiles', 2],
])('%s that fails once is tried again; it is no divergence', async (call, nth) => {
  const engine = engineOf();
  engine.before = fails(call, 'engine_failed', (at) => at === nth);
  const record = await run(engine);
  expect(record).toMatchObject({ verdict: 'reproduced', flaky: false });
  expect(record.replays.map(({ attempts }) => attempts)).toEqual([2, 1, 1]);
  expectEmpty(engine);
});

it.concurrent.each(['create', 'attach', 'start', 'exportFiles'])(
  '%s that fails for good is inconclusive, never a divergence, and leaves nothing',
  async (call) => {
    const engine = engineOf();
    engine.before = fails(call, 'engine_unreachable', (at) => at >= 2);
    const record = await run(engine, { manifest: { replays: 1 } });
    expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'engine_unreachable', divergence: null });
    expect(record.replays.filter(({ outcome }) => outcome === 'diverged')).toEqual([]);
    expectEmpty(engine);
  },
);

it('an end that PID 1 did not sign is no result', async () => {
  const engine = engineOf((nth) => ({ forged: nth === 2 }));
  const record = await run(engine);
  expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'supervisor_lost' });
  expect(record.replays.map(({ outcome }) => outcome)).not.toContain('diverged');
  expectEmpty(engine);
});

it.each<[string, MemoryEngine['seen']]>([
  ['the seccomp profile', { seccomp: '0' }],
  ['capabilities', { cap_permitted: '1' }],
  ['the network', { interfaces: 1 }],
  ['a harness that can be written', { harness_write_errno: 0 }],
  ['the user', { uid: 0 }],
])('nothing is replayed where a probe shows no wall: %s', async (_, seen) => {
  const engine = engineOf(() => {
    throw new Error('started');
  });
  engine.seen = seen;
  expect(await run(engine)).toMatchObject({ reason: 'sandbox_not_enforced', replays: [] });
  expectEmpty(engine);
});

it('an image with other layers than its configuration names is refused before anything is created', async () => {
  const engine = engineOf();
  engine.diffIds = [digestOf('other')];
  expect(await run(engine)).toMatchObject({ reason: 'image_mismatch', replays: [] });
  expect(engine.calls).not.toContain('create');
});

it('an input that is not the one named is refused before anything is created', async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'in'), 'other');
  const inputs = [{ path: 'in', source: 'in', sha256: digestOf('expected') }];
  const engine = engineOf();
  expect(await run(engine, { folder, manifest: { inputs } })).toMatchObject({
    verdict: 'rejected',
    reason: 'input_mismatch',
  });
  expect(engine.calls).not.toContain('create');
});

it('an interruption ends it in order, and the next run makes only what is missing', async () => {
  const folder = tempFolder();
  const interrupt = new AbortController();
  const cut = engineOf((nth) => {
    if (nth < 2) return { stdout: 'same' };
    setTimeout(() => interrupt.abort(), 10);
    return { until: new Promise(() => undefined) };
  });
  await expect(run(cut, { folder, signal: interrupt.signal })).rejects.toMatchObject({ code: 'interrupted' });
  expectEmpty(cut);
  const events: RunEvent[] = [];
  const again = engineOf(() => ({ stdout: 'same' }));
  const record = await run(again, { folder, onEvent: (event) => events.push(event) });
  expect(record).toMatchObject({ verdict: 'reproduced', requested: 3 });
  const resumed = events.flatMap((event) => (event.type === 'replay' ? [event.resumed] : []));
  expect(resumed).toEqual([true, false, false]);
  expect(again.calls.filter((call) => call === 'start')).toHaveLength(3);
});

it('what was finished under other circumstances is not taken over', async () => {
  const folder = tempFolder();
  const interrupt = new AbortController();
  const cut = engineOf((nth) => {
    if (nth === 2) setTimeout(() => interrupt.abort(), 10);
    return nth < 2 ? {} : { until: new Promise(() => undefined) };
  });
  await run(cut, { folder, signal: interrupt.signal }).catch(() => undefined);
  const again = engineOf(() => ({}));
  await run(again, { folder, harness: { ...memoryHarness(), initSha256: digestOf('another PID 1') } });
  expect(again.calls.filter((call) => call === 'start')).toHaveLength(4);
});

it('after a divergence no more is started where that was asked for', async () => {
  const engine = engineOf((nth) => ({ stdout: String(nth) }));
  const record = await run(engine, { failFast: true, manifest: { replays: 20 } });
  expect(record.verdict).not.toBe('reproduced');
  expect(engine.calls.filter((call) => call === 'start')).toHaveLength(3);
});

it('shards part the replays without a gap or an overlap', async () => {
  const indices = async (index: number): Promise<number[]> =>
    (await run(engineOf(), { shard: { index, count: 3 }, manifest: { replays: 8 } })).replays.map(
      (one) => one.index,
    );
  const all = [await indices(1), await indices(2), await indices(3)];
  expect(all).toEqual([
    [1, 4, 7],
    [2, 5, 8],
    [3, 6],
  ]);
});

it('manifests of one image share its volume and its probe', async () => {
  const folder = tempFolder();
  const engine = engineOf();
  for (const name of ['a', 'b'])
    writeFileSync(join(folder, `${name}.json`), JSON.stringify({ ...MANIFEST, name }));
  await keepImage(new BlobStore(join(folder, 'images')));
  const records = await runManifests(engine, {
    manifests: await loadManifests([join(folder, 'a.json'), join(folder, 'b.json')]),
    out: join(folder, 'out'),
    imageCache: join(folder, 'images'),
    harness: memoryHarness(),
    jobs: 2,
  });
  expect(records.map(({ verdict }) => verdict)).toEqual(['reproduced', 'reproduced']);
  expect(engine.calls.filter((call) => call === 'createVolume')).toHaveLength(1);
  expect(engine.calls.filter((call) => call === 'start')).toHaveLength(1 + 6);
});

it('a harness for another processor starts nothing', async () => {
  const harness = memoryHarness();
  harness.init.writeUInt16LE(183, 18);
  const engine = engineOf();
  await expect(run(engine, { harness })).rejects.toMatchObject({ code: 'unsupported_platform' });
  expect(engine.calls).toEqual(['facts']);
});
