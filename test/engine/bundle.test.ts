/** Bundles on the real engine: packed with the image, replayed where neither engine nor registry has it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { beforeAll, expect, it } from 'vitest';

import { pushImage } from '../../setup/image.ts';
import { digestOf } from '../../src/base/digest.ts';
import { serveImage } from '../../src/bundle/format/loopback.ts';
import { verifyBundle } from '../../src/bundle/verify/verify.ts';
import { findEndpoint } from '../../src/sandbox/endpoint.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { fixtureLayers, layerOf } from '../support/fixture-image.ts';
import { runVerifyText, unpack } from '../support/verify-text.ts';
import { describeEngine, manifest, reenact, tempFolder, world, writeManifest } from '../support/world.ts';

describeEngine('a bundle with its image', () => {
  const folder = tempFolder();
  let config: string;

  /** Takes the image off the engine, so that only the bundle has it. */
  async function forget(): Promise<void> {
    const { endpoint } = findEndpoint(process.env)!;
    await new Docker(endpoint as Docker.DockerOptions).getImage(config).remove({ force: true });
  }

  beforeAll(async () => {
    // An image of this test's own: others must not lose theirs.
    const layers = [
      ...(await fixtureLayers()),
      await layerOf([{ name: 'etc/bundle-test', content: `${process.pid} ${performance.now()}` }]),
    ];
    const image = await pushImage(world.registry, 'reenact-bundle', layers, {
      Entrypoint: ['/bin/sh', '-c'],
    });
    config = image.config;
    const content = manifest("sh -c 'cat /case/in.txt; echo done > out'", {
      sandbox_image_sha256: image.manifest,
      sandbox_image: image.repository,
      inputs: [{ path: 'in.txt', sha256: digestOf('input'), source: 'data/in.txt' }],
      replays: 3,
    });
    mkdirSync(join(folder, 'data'));
    writeFileSync(join(folder, 'data/in.txt'), 'input');
    writeManifest(folder, content);
    const run = await reenact(['run', 'm.json', '--bundle', 'case.tar', '--with-image'], { cwd: folder });
    expect(run).toMatchObject({ status: 0, stderr: expect.stringContaining('identity sha256:') });
  }, 60_000);

  it('is accepted', async () => {
    const result = await verifyBundle(join(folder, 'case.tar'));
    expect(result).toMatchObject({
      accepted: true,
      verdict_follows: true,
      signers: [],
      evidence: 'not_checked',
    });
    expect(runVerifyText(unpack(join(folder, 'case.tar')))).toContain('no evidence was verified');
  });

  it('is read by skopeo, and keeps its identity through a registry', async () => {
    const place = tempFolder();
    execFileSync('tar', ['-xf', join(folder, 'case.tar'), '-C', place]);
    const { root } = await verifyBundle(join(folder, 'case.tar'));
    const raw = (from: string): string =>
      digestOf(execFileSync('skopeo', ['inspect', '--raw', '--tls-verify=false', from]));
    expect(raw(`oci:${place}`)).toBe(root);
    const there = `docker://${world.registry}/reenact-case:one`;
    const copy = (from: string, to: string): Buffer =>
      execFileSync('skopeo', [
        'copy',
        '--insecure-policy',
        '--src-tls-verify=false',
        '--dest-tls-verify=false',
        from,
        to,
      ]);
    copy(`oci:${place}`, there);
    const back = tempFolder();
    copy(there, `oci:${back}`);
    expect([raw(there), raw(`oci:${back}`)]).toEqual([root, root]);
  });

  it('replays from the bundle alone, and leaves nothing behind', async () => {
    await forget();
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('reenact-bundle-'));
    const replayed = await reenact(['bundle', 'replay', 'case.tar'], { cwd: folder });
    expect(replayed.stdout).toContain('3 of 3 new replays ended in a recorded state');
    expect(replayed.status).toBe(0);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('reenact-bundle-'))).toEqual(before);
  });

  it('does not run a stranger’s harness unless it is named', async () => {
    const runs = join(folder, '.reenact/runs');
    const path = join(runs, readdirSync(runs)[0]!, 'record.json');
    const record = JSON.parse(readFileSync(path, 'utf8')) as { environment: { harness_sha256: string } };
    const store = new BlobStore(join(folder, '.reenact'));
    const strange = await store.put('#!/bin/evil');
    record.environment.harness_sha256 = strange;
    const place = join(folder, '.reenact/runs/strange');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'record.json'), JSON.stringify(record));
    const created = await reenact(['bundle', 'create', place, '--with-image', '--out', 'strange.tar'], {
      cwd: folder,
    });
    expect(created).toMatchObject({ status: 0 });
    const refused = await reenact(['bundle', 'replay', 'strange.tar'], { cwd: folder });
    expect(refused).toMatchObject({ status: 64, stderr: expect.stringContaining(strange) });
  });

  it('does not replay what is refused', async () => {
    const bytes = readFileSync(join(folder, 'case.tar'));
    bytes[bytes.length - 2000]! ^= 1;
    writeFileSync(join(folder, 'damaged.tar'), bytes);
    const refused = await reenact(['bundle', 'replay', 'damaged.tar'], { cwd: folder });
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining('damaged.tar: ') });
  });
});

it('the loopback registry serves what is there by digest, and nothing else', async () => {
  const store = new BlobStore(tempFolder());
  const digest = await store.put('{"mediaType":"x/y"}');
  const served = await serveImage(store);
  const ask = (path: string, method = 'GET'): Promise<Response> =>
    fetch(`http://${served.repository.replace('/bundle', '')}${path}`, { method });
  try {
    expect((await ask('/v2/')).status).toBe(200);
    const found = await ask(`/v2/bundle/manifests/${digest}`);
    expect([found.status, found.headers.get('content-type')]).toEqual([200, 'x/y']);
    expect(await (await ask(`/v2/bundle/blobs/${digest}`)).text()).toBe('{"mediaType":"x/y"}');
    for (const path of [
      `/v2/bundle/manifests/latest`,
      `/v2/bundle/blobs/${digestOf('other')}`,
      '/v2/../etc',
      `/v2/other/blobs/${digest}`,
    ])
      expect((await ask(path)).status, path).toBe(404);
    for (const method of ['PUT', 'POST', 'DELETE'])
      expect((await ask(`/v2/bundle/blobs/${digest}`, method)).status).toBe(404);
  } finally {
    await served.close();
  }
});
