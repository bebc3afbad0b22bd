/** A bundle's image on an engine that cannot reach our loopback interface: loaded, and known by digests all the same. */
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { pushImage } from '../../setup/image.ts';
import { digestOf } from '../../src/base/digest.ts';
import { extractBundle } from '../../src/bundle/extract/extract.ts';
import { serveImage } from '../../src/bundle/format/loopback.ts';
import { imageArchive } from '../../src/bundle/write/image-archive.ts';
import { loadManifests } from '../../src/manifest/load.ts';
import { loadPolicy } from '../../src/policy/policy.ts';
import { runManifests } from '../../src/reenact.ts';
import type { ImageChain } from '../../src/sandbox/chain.ts';
import type { Engine } from '../../src/sandbox/engine.ts';
import { ensureImage, resolveImage } from '../../src/sandbox/image.ts';
import { Registries } from '../../src/sandbox/registry.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { fixtureLayers, layerOf } from '../support/fixture-image.ts';
import { OwnEngine } from '../support/own-engine.ts';
import { describeEngine, manifest, reenact, tempFolder, world, writeManifest } from '../support/world.ts';

const never = new AbortController().signal;

describeEngine('an engine that cannot reach our loopback interface', () => {
  const folder = tempFolder();
  const store = new BlobStore(join(tempFolder(), 'store'));
  const own = new OwnEngine(tempFolder(), true);
  let engine: Engine;
  let chain: ImageChain;

  beforeAll(async () => {
    const note = await layerOf([{ name: 'etc/load-test', content: `${process.pid} ${performance.now()}` }]);
    const image = await pushImage(
      world.registry,
      'reenact-load',
      // The same layer twice, as builders make them of steps that change nothing.
      [...(await fixtureLayers()), note, note],
      { Entrypoint: ['/bin/sh', '-c'] },
    );
    const pinned = { sandbox_image_sha256: image.manifest, sandbox_image: image.repository };
    writeManifest(folder, manifest("sh -c 'cat /etc/load-test > out'", { ...pinned, replays: 2 }));
    const run = await reenact(['run', 'm.json', '--bundle', 'case.tar', '--with-image'], { cwd: folder });
    expect(run).toMatchObject({ status: 0 });
    await extractBundle(join(folder, 'case.tar'), store);
    engine = await own.start();
    chain = (await resolveImage(image.manifest, sources())).chain;
  }, 60_000);
  afterAll(() => own.stop());

  const sources = (more: Partial<Parameters<typeof ensureImage>[1]> = {}) => ({
    engine,
    store,
    registries: new Registries(),
    repositories: [],
    platform: { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch },
    ...more,
  });

  /** The engine with one of its abilities replaced. */
  const but = (change: Partial<Engine>): Engine => Object.assign(Object.create(engine), change);

  /** A store like the bundle's, to be tampered with. */
  function copy(): BlobStore {
    const place = join(tempFolder(), 'store');
    cpSync(store.folder, place, { recursive: true });
    return new BlobStore(place);
  }

  async function refused(archive: Readable): Promise<string> {
    const error = await engine.load(archive, never).then(
      () => expect.unreachable('loaded'),
      (fault: Error) => fault,
    );
    expect(archive.destroyed).toBe(true);
    expect(await engine.image(chain.config)).toBeUndefined();
    return `${(error as { code?: string }).code}: ${error.message}`;
  }

  it('is given what is a docker-archive and an OCI layout at once, each name once', async () => {
    const path = join(tempFolder(), 'image.tar');
    await writeFile(path, imageArchive(store, chain));
    const names = String(execFileSync('tar', ['-tf', path]))
      .trim()
      .split('\n');
    expect(new Set(names).size).toBe(names.length);
    const inspect = (...args: string[]): string => digestOf(execFileSync('skopeo', ['inspect', ...args]));
    expect(inspect('--raw', `oci-archive:${path}`)).toBe(chain.manifest);
    expect(inspect('--raw', '--config', `docker-archive:${path}`)).toBe(chain.config);
  });

  it('keeps the manifest’s digest where containerd stores images', async () => {
    const path = join(tempFolder(), 'image.tar');
    await writeFile(path, imageArchive(store, chain));
    const ctr = (...args: string[]): string =>
      String(execFileSync('ctr', ['--address', own.containerd, '--namespace', 'test', 'images', ...args]));
    ctr('import', '--digests', '--base-name', 'x', path);
    expect(ctr('list')).toContain(` ${chain.manifest} `);
  });

  it('does not pull from it', async () => {
    const served = await serveImage(store);
    try {
      await expect(engine.pull(served.repository, chain.manifest, never)).rejects.toThrow('unreachable');
    } finally {
      await served.close();
    }
  });

  it('refuses a layer that was swapped', async () => {
    const tampered = copy();
    writeFileSync(tampered.path(chain.layers[2]!), gzipSync(await layerOf([{ name: 'etc/load-test' }])));
    expect(await refused(imageArchive(tampered, chain))).toMatch(/^engine_failed: .*load an image: .*diffID/);
  });

  it('refuses a manifest with other layers than its configuration', async () => {
    const layers = [...chain.layers.slice(0, 2), chain.layers[1]!, chain.layers[1]!];
    expect(await refused(imageArchive(store, { ...chain, layers }))).toContain('diffID');
  });

  it('is told which layer the bundle lacks', async () => {
    const without = copy();
    rmSync(without.path(chain.layers[1]!));
    expect(await refused(imageArchive(without, chain))).toBe(
      `image_not_found: the bundle lacks ${chain.layers[1]}, which its image is made of`,
    );
  });

  it('stops loading when interrupted', async () => {
    const stop = new AbortController();
    async function* interrupted(): AsyncGenerator<Uint8Array> {
      for await (const piece of imageArchive(store, chain)) {
        yield piece as Uint8Array;
        stop.abort();
      }
    }
    const archive = Readable.from(interrupted());
    await expect(engine.load(archive, stop.signal)).rejects.toThrow('aborted');
    expect(archive.destroyed).toBe(true);
    expect(await engine.image(chain.config)).toBeUndefined();
  });

  it('a run that is interrupted while it loads ends as interrupted, not as inconclusive', async () => {
    const stop = new AbortController();
    const place = tempFolder();
    const run = runManifests(engine, {
      manifests: await loadManifests([join(folder, 'm.json')]),
      policy: await loadPolicy('default'),
      out: join(place, 'out'),
      imageCache: store.folder,
      repositories: [],
      onlyRepositories: [],
      imageArchive: () => {
        stop.abort();
        return imageArchive(store, chain);
      },
      jobs: 1,
      signal: stop.signal,
    });
    await expect(run).rejects.toMatchObject({ code: 'interrupted' });
  });

  it('is not believed that it loaded', async () => {
    const archive = (): Readable => imageArchive(store, chain);
    const idle = but({ load: async () => undefined });
    await expect(ensureImage(chain.requested, sources({ engine: idle, archive }), never)).rejects.toThrow(
      `loaded ${chain.requested} but does not have`,
    );
    const other = but({
      load: async () => undefined,
      image: async (id) => ({ id, diffIds: chain.diffIds.toReversed(), os: 'linux', architecture: 'amd64' }),
    });
    await expect(ensureImage(chain.requested, sources({ engine: other, archive }), never)).rejects.toThrow(
      'has other layers',
    );
  });

  it('replays the bundle to the recorded states', async () => {
    expect(await engine.image(chain.config)).toBeUndefined();
    const replayed = await reenact(['bundle', 'replay', 'case.tar'], {
      cwd: folder,
      env: { DOCKER_HOST: own.address },
    });
    expect(replayed.stdout, replayed.stderr).toContain('2 of 2 new replays ended in a recorded state');
    expect(replayed.status).toBe(0);
    expect(await engine.image(chain.config)).toMatchObject({ diffIds: chain.diffIds });
  });
});
