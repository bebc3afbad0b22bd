/** What engines send in pieces: one that stops in the middle is given up, a slow one is not, and it is said which engine. */
import { Readable } from 'node:stream';
import { afterAll, expect, it } from 'vitest';

import type { PATIENCE } from '../../src/base/patience.ts';
import { checkContent } from '../../src/sandbox/content-check.ts';
import { connectDocker } from '../../src/sandbox/docker.ts';
import type { Engine } from '../../src/sandbox/engine.ts';
import { ensureImage } from '../../src/sandbox/image.ts';
import { Registries } from '../../src/sandbox/registry.ts';
import { runContainer } from '../../src/sandbox/run.ts';
import { readTree } from '../../src/sandbox/tree.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { EngineProxy } from '../support/proxy.ts';
import { FAST } from '../support/slow.ts';
import {
  describeEngine,
  engine,
  idleContainer,
  manifest,
  replay,
  tempFolder,
  world,
} from '../support/world.ts';

const proxies: EngineProxy[] = [];
const idle: string[] = [];
afterAll(async () => {
  for (const proxy of proxies.splice(0)) proxy.die();
  const direct = await engine();
  for (const id of idle.splice(0)) await direct.remove(id);
});

/** Looks have the time that they need on a busy machine. */
const LIMITS = { ...FAST, quietMs: 2_000, answerMs: 5_000, lostAnswerMs: 500 };

/** An engine behind a proxy, and what a person is told of it. */
async function behind(limits: typeof PATIENCE = LIMITS) {
  const proxy = new EngineProxy();
  proxies.push(proxy);
  await proxy.listen();
  const told: string[] = [];
  const endpoint = { socketPath: proxy.address.slice('unix://'.length) };
  const docker = await connectDocker(endpoint, proxy.address, {
    limits,
    tell: (text) => void told.push(text),
  });
  return { proxy, docker, told };
}

async function fixture(docker: Engine) {
  const store = new BlobStore(tempFolder());
  const platform = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };
  const sources = {
    engine: docker,
    store,
    repositories: [world.fixture.repository],
    registries: new Registries(),
    platform,
  };
  const image = await ensureImage(world.fixture.manifest, sources, new AbortController().signal);
  const id = await idleContainer(docker, image.id);
  idle.push(id);
  return { image, id };
}

describeEngine('an engine that lives, and', () => {
  it('stops in the middle of an export: it is given up, and the next one sooner', async () => {
    const { proxy, docker, told } = await behind();
    const { id } = await fixture(await engine());
    proxy.stall = { line: /\/export/, bytes: 50_000 };
    const read = async (): Promise<number> => {
      const began = performance.now();
      await expect(docker.exportFiles(id).then((stream) => readTree(stream))).rejects.toMatchObject({
        code: 'engine_unreachable',
        message: expect.stringContaining(
          `the engine at ${proxy.address} could not export a container: it has been silent`,
        ),
      });
      return performance.now() - began;
    };
    expect(await read()).toBeLessThan(4_000);
    expect(told.join('\n')).toContain(
      `still waiting for the engine at ${proxy.address}, which is to export a container`,
    );
    expect(await read()).toBeLessThan(1_900);
    proxy.stall = undefined;
    expect((await readTree(await docker.exportFiles(id))).size).toBeGreaterThan(1);
  });

  it('stops in the middle of a save: that is no word about the image', async () => {
    const { proxy, docker } = await behind();
    const { image, id } = await fixture(await engine());
    proxy.stall = { line: /\/images\/.*get/, bytes: 20_000 };
    await expect(checkContent(docker, image, id)).rejects.toMatchObject({ code: 'engine_unreachable' });
  });

  it('sends an export slowly: it comes whole', async () => {
    const { proxy, docker } = await behind({ ...LIMITS, quietMs: 700 });
    const { id } = await fixture(await engine());
    const whole = await readTree(await docker.exportFiles(id));
    let size = 0;
    for await (const piece of await docker.exportFiles(id)) size += (piece as Uint8Array).length;
    proxy.slow = { line: /\/export/, bytes: Math.ceil(size / 20), perSecond: 10 };
    const began = performance.now();
    expect(await readTree(await docker.exportFiles(id))).toEqual(whole);
    expect(performance.now() - began).toBeGreaterThan(1_400);
  });

  it('is killed in the middle of an export: it is unreachable, and nothing waits', async () => {
    const { proxy, docker } = await behind();
    const { id } = await fixture(await engine());
    proxy.stall = { line: /\/export/, bytes: 50_000 };
    setTimeout(() => proxy.die(), 100);
    await expect(docker.exportFiles(id).then((stream) => readTree(stream))).rejects.toMatchObject({
      code: 'engine_unreachable',
    });
  });

  it('stops telling of a pull or a load', async () => {
    const { proxy, docker } = await behind({ ...LIMITS, aliveQuietMs: 500 });
    proxy.stall = { line: /\/images\/(create|load)/, bytes: 10 };
    const { signal } = new AbortController();
    const silence = { message: expect.stringContaining('it has been silent for 0.5 s') };
    const { repository, manifest: digest } = world.fixture;
    await expect(docker.pull(repository, digest, signal)).rejects.toMatchObject({
      code: 'engine_unreachable',
      ...silence,
    });
    await expect(docker.load(Readable.from([Buffer.alloc(1024)]), signal)).rejects.toMatchObject(silence);
  });

  it('passes no more of the output on: the replay ends, with one try', async () => {
    const { proxy, docker } = await behind();
    const { image } = await fixture(await engine());
    const id = await docker.create({
      image: image.id,
      argv: ['/bin/sh', '-c', 'echo a; sleep 0.2; echo b'],
      ...{ env: [], user: '0:0', mounts: [], labels: {} },
      limits: { cpus: 1, memoryBytes: 1 << 28, pids: 32 },
      seccomp: { json: '{"defaultAction":"SCMP_ACT_ALLOW"}', path: '' },
    });
    idle.push(id);
    proxy.stall = { line: /\/attach/, bytes: 130 };
    const began = performance.now();
    const o = { store: new BlobStore(tempFolder()), timeoutMs: 60_000, outputBytes: 1 << 20 };
    await expect(
      runContainer(docker, id, { ...o, signal: new AbortController().signal }),
    ).rejects.toMatchObject({
      message: expect.stringContaining(
        'could not pass on the rest of a container’s output: it has been silent',
      ),
    });
    expect(performance.now() - began).toBeLessThan(6_000);
  });
});

describeEngine('a registry that falls silent while an engine pulls from it', () => {
  it('is found out: the pull does not wait for the engine', async () => {
    const docker = await engine();
    const registry = new EngineProxy(world.registry);
    proxies.push(registry);
    await registry.listen();
    const repository = world.fixture.repository.replace(world.registry, registry.host);
    const never = (_repository: string, _digest: string, signal: AbortSignal): Promise<void> =>
      new Promise((_, reject) => {
        registry.fallSilent();
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    // As an engine that waits without an end, and does not have the image.
    const waits = new Proxy(docker, {
      get: (target, name) =>
        name === 'pull'
          ? never
          : name === 'image'
            ? async () => undefined
            : Reflect.get(target, name).bind(target),
    });
    const platform = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };
    const registries = new Registries({ limits: { ...FAST, answerMs: 1_000 } });
    const sources = {
      engine: waits,
      store: new BlobStore(tempFolder()),
      repositories: [repository],
      registries,
      platform,
    };
    const began = performance.now();
    await expect(
      ensureImage(world.fixture.manifest, sources, new AbortController().signal),
    ).rejects.toMatchObject({ code: 'registry_unreachable', message: expect.stringContaining(repository) });
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

describeEngine('a run', () => {
  it('whose exports stall: each replay is tried once, all but the first end soon', async () => {
    const { proxy, docker } = await behind();
    const began = performance.now();
    let prepared = 0;
    const record = await replay(manifest('sh -c true', { replays: 3 }), {
      on: docker,
      capture: 'archive',
      jobs: 1,
      onEvent: ({ type }) => {
        if (type !== 'prepared') return;
        prepared = performance.now() - began;
        proxy.stall = { line: /\/export/, bytes: 20_000 };
      },
    });
    expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'engine_unreachable' });
    expect(record.replays.map(({ attempts }) => attempts)).toEqual([1, 1, 1]);
    expect(performance.now() - began - prepared).toBeLessThan(12_000);
  });
});
