import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';

import { pushImage } from '../../setup/image.ts';
import { type Digest, digestOf } from '../../src/base/digest.ts';
import { serveImage } from '../../src/bundle/format/loopback.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { layerOf } from '../support/fixture-image.ts';
import {
  describeEngine,
  engine,
  idleContainer,
  manifest,
  replay,
  tempFolder,
  world,
} from '../support/world.ts';

const ABSENT = `sha256:${'0'.repeat(64)}` as Digest;
/** Nothing listens there. */
const DOWN = '127.0.0.1:65099/nothing';

describeEngine('a pinned image', () => {
  const servers: ReturnType<typeof createServer>[] = [];
  afterAll(() => servers.forEach((server) => void server.close()));

  /** A registry that answers every digest with the same wrong bytes. */
  async function lyingRegistry(): Promise<string> {
    const server = createServer((_request, response) => response.end('{"schemaVersion":2}'));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}/liar`;
  }

  it('that the registry does not have is inconclusive', async () => {
    const record = await replay(manifest('/bin/crash', { sandbox_image_sha256: ABSENT }));
    expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'image_not_found', replays: [] });
  });

  it('is inconclusive while its registry is down', async () => {
    const record = await replay(
      manifest('/bin/crash', { sandbox_image: DOWN, sandbox_image_sha256: ABSENT }),
    );
    expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'registry_unreachable' });
  });

  it('is refused from a registry that serves other bytes', async () => {
    const record = await replay(manifest('/bin/crash', { sandbox_image: await lyingRegistry() }));
    expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'image_bytes_mismatch' });
  });

  it('whose pull fails after the engine’s answer began well was not pulled', async () => {
    const store = new BlobStore(tempFolder());
    const layer = digestOf(`${Math.random()}`);
    const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
    const config = JSON.stringify({
      os: 'linux',
      architecture,
      rootfs: { type: 'layers', diff_ids: [layer] },
    });
    const described = { digest: await store.put(config), size: config.length };
    const type = 'application/vnd.oci.image';
    const document = {
      schemaVersion: 2,
      config: { ...described, mediaType: `${type}.config.v1+json` },
      layers: [{ mediaType: `${type}.layer.v1.tar`, digest: layer, size: 1 }],
    };
    const served = await serveImage(store);
    try {
      const digest = await store.put(JSON.stringify(document));
      const pull = (await engine()).pull(served.repository, digest, new AbortController().signal);
      await expect(pull).rejects.toThrow('cannot pull');
    } finally {
      await served.close();
    }
  });

  it('is found in the first configured repository that has it', async () => {
    const { sandbox_image: _unnamed, ...unnamed } = manifest('/bin/crash');
    const record = await replay(unnamed, {
      repositories: [await lyingRegistry(), DOWN, world.fixture.repository],
    });
    expect(record).toMatchObject({ verdict: 'reproduced' });
    expect(await replay(unnamed)).toMatchObject({ verdict: 'inconclusive', reason: 'image_not_found' });
  });

  it('needs no registry the second time', async () => {
    const imageCache = tempFolder();
    expect(await replay(manifest('/bin/crash'), { imageCache })).toMatchObject({ verdict: 'reproduced' });
    expect(await replay(manifest('/bin/crash', { sandbox_image: DOWN }), { imageCache })).toMatchObject({
      verdict: 'reproduced',
    });
  });

  it.each(['a changed file', 'a file too many'])(
    'whose stored layers have %s fails the content check only',
    async (what) => {
      const layer = await layerOf([
        { name: 'bin', type: 'directory' },
        { name: 'bin/program', content: readFileSync('/bin/busybox') },
        { name: 'note', content: `unique to this test: ${what} ${Math.random()}` },
      ]);
      const image = await pushImage(world.registry, 'reenact-tamper', [layer], {});
      const content = manifest('/bin/program true', {
        sandbox_image: image.repository,
        sandbox_image_sha256: image.manifest,
      });
      expect(await replay(content, { policyName: 'forensic' })).toMatchObject({
        image: { image_check: 'content' },
      });

      const docker = await engine();
      const id = await idleContainer(docker, image.config);
      const lower = (await docker.inspect(id)).overlay!.lower.at(-1)!;
      await docker.remove(id);
      const place = join(lower, what === 'a changed file' ? 'note' : 'planted');
      const before = what === 'a changed file' ? readFileSync(place) : undefined;
      appendFileSync(place, 'tampered');
      try {
        expect(await replay(content)).toMatchObject({
          verdict: 'reproduced',
          image: { image_check: 'engine' },
        });
        expect(await replay(content, { policyName: 'forensic' })).toMatchObject({
          verdict: 'inconclusive',
          reason: 'image_mismatch',
        });
      } finally {
        if (before) writeFileSync(place, before);
        else rmSync(place);
      }
    },
  );
});
