/** Once before all tests: is there an engine, and if so the images the engine tests replay in. */
import type { TestProject } from 'vitest/node';

import { compilePages, pushPages } from '../../setup/demo-image.ts';
import { type BuiltImage, pushImage, pushManifest } from '../../setup/image.ts';
import { connectEngine } from '../../src/library/engine.ts';
import { hostOf } from '../../src/sandbox/bare.ts';
import { loadHarness } from '../../src/sandbox/harness.ts';
import type { Mechanism } from '../../src/sandbox/mechanisms.ts';
import { fixtureLayers } from './fixture-image.ts';

export interface World {
  registry: string;
  fixture: BuiltImage;
  /** An index that names the fixture image for this platform, and one for another. */
  index: string;
  /** The demo's server. */
  pages: BuiltImage;
  /** What the engine's machine has for full determinism. */
  mechanisms: Mechanism[];
}

declare module 'vitest' {
  export interface ProvidedContext {
    world: World | null;
  }
}

export default async function setup(project: TestProject): Promise<void> {
  const registry = process.env.REENACT_REGISTRY;
  if (!registry || !process.env.DOCKER_HOST) {
    // Unit tests alone need no engine; npm test always brings one.
    project.provide('world', null);
    return;
  }
  const fixture = await pushImage(registry, 'reenact-fixture', await fixtureLayers(), {
    Entrypoint: ['/bin/sh', '-c'],
    Cmd: ['echo from the image'],
    Env: ['PATH=/bin', 'FROM_IMAGE=yes'],
  });
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const size = (
    await (
      await fetch(`http://${registry}/v2/reenact-fixture/manifests/${fixture.manifest}`, {
        headers: { accept: mediaType },
      })
    ).arrayBuffer()
  ).byteLength;
  const index = await pushManifest(
    registry,
    'reenact-fixture',
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [{ mediaType, digest: fixture.manifest, size, platform: { os: 'linux', architecture } }],
    }),
    'application/vnd.oci.image.index.v1+json',
  );
  const engine = await connectEngine();
  project.provide('world', {
    registry,
    fixture,
    index,
    pages: await pushPages(registry, compilePages(process.cwd())),
    mechanisms: (await hostOf(engine, loadHarness(), await engine.facts(), [])).mechanisms,
  });
}
