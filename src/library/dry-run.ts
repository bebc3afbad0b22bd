/** What a run would come to as far as it is known before any sandbox: nothing is pulled, started or written. */
import { join } from 'node:path';
import { cacheFolder } from '../base/cache-folder.ts';
import { systemClock } from '../base/clock.ts';
import type { Digest } from '../base/digest.ts';
import type { LoadedManifest } from '../manifest/load.ts';
import { manifestSubject } from '../manifest/subject.ts';
import { type Foreseen, foresee } from '../replay/foresee.ts';
import { replaysOf } from '../replay/options.ts';
import { resolveImage } from '../sandbox/image.ts';
import { Registries } from '../sandbox/registry.ts';
import { BlobStore } from '../store/blobs.ts';
import type { ManifestSource } from './manifests.ts';
import { askedOf, type ReplayOptions } from './run.ts';
import type { Session } from './session.ts';

/** What is known of one manifest's run. */
export interface PlannedRun extends Foreseen {
  /** How many replays there would be. */
  replays: number;
  manifest_subject_sha256: Digest;
}

/** Every digest that an image's own documents give, from the cache or a registry: no engine is asked. */
async function chainOf(
  { manifest }: LoadedManifest,
  named: string[],
  registries: Registries,
): Promise<Digest[]> {
  const repositories = manifest.sandbox_image ? [manifest.sandbox_image] : named;
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const sources = {
    store: new BlobStore(join(cacheFolder(process.env), 'images')),
    repositories,
    registries,
    platform: { os: 'linux', architecture },
  };
  const { chain } = await resolveImage(manifest.sandbox_image_sha256, sources);
  return [chain.requested, chain.manifest, chain.config];
}

/** Checks evidence, platform, inputs and gates of each manifest as a run does, in the manifests' order. */
export async function dryRun(
  session: Session,
  inputs: ManifestSource | readonly ManifestSource[],
  options: ReplayOptions = {},
): Promise<PlannedRun[]> {
  const asked = await askedOf(session, inputs, options);
  const { policy, requireEvidence = false, evidenceStores = [], repositories = [] } = asked;
  const registries = new Registries(session.waiting);
  const found = await foresee(asked.manifests, {
    policy,
    requireEvidence,
    evidenceStores,
    out: session.store,
    clock: systemClock,
    imageChain: (loaded) => chainOf(loaded, repositories, registries),
  });
  return found.map((foreseen) => ({
    ...foreseen,
    replays: replaysOf(foreseen.loaded, asked),
    manifest_subject_sha256: manifestSubject(foreseen.loaded.manifest),
  }));
}
