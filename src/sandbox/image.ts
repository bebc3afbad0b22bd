/** Makes a pinned image present: chain resolved, looked up locally first, else pulled by digest, or loaded. */
import type { Readable } from 'node:stream';

import type { Digest } from '../base/digest.ts';
import { asFault, Fault } from '../base/fault.ts';
import { Unanswered } from '../base/patience.ts';
import type { BlobStore } from '../store/blobs.ts';
import { type ImageChain, type Platform, resolveChain } from './chain.ts';
import type { Engine } from './engine.ts';
import { explained } from './pull-failure.ts';
import { fetchByDigest, type Registries } from './registry.ts';

/** An image the engine has and that is the one pinned; `id` is the engine's name for it. */
export interface PresentImage extends ImageChain {
  id: string;
  repository: string | undefined;
}

export interface ImageSources {
  engine: Engine;
  /** Keeps manifests and configurations, so that a second run needs no registry. */
  store: BlobStore;
  repositories: string[];
  registries: Registries;
  platform: Platform;
  /** The last resort, for an engine that cannot pull from any repository: the image itself, to be loaded. */
  archive?: (chain: ImageChain) => Readable;
}

/** The chain of a digest: the first repository that serves the digest wins; the most useful failure is reported when none does. */
export async function resolveImage(
  requested: Digest,
  s: Pick<ImageSources, 'store' | 'repositories' | 'registries' | 'platform'>,
): Promise<{ chain: ImageChain; repository: string | undefined }> {
  const faults: Fault[] = [];
  for (const repository of [undefined, ...s.repositories]) {
    try {
      const chain = await resolveChain(requested, s.platform, async (kind, digest) => {
        const kept = await s.store.get(digest);
        if (kept) return kept;
        if (!repository) throw new Fault('image_not_found', `${digest} is not in the cache`);
        const bytes = await fetchByDigest(s.registries, repository, kind, digest);
        await s.store.put(bytes);
        return bytes;
      });
      return { chain, repository };
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (repository || error.code !== 'image_not_found') faults.push(error);
    }
  }
  const order = [
    'image_bytes_mismatch',
    'image_mismatch',
    'unsupported_platform',
    'registry_unreachable',
    'registry_denied',
    'image_not_found',
  ];
  faults.sort((a, b) => order.indexOf(a.code) - order.indexOf(b.code));
  throw (
    faults[0] ??
    new Fault(
      'image_not_found',
      `no repository is known for ${requested}: name one in sandbox_image, in reenact.yaml, or by reenact run --repository`,
    )
  );
}

/** The engine must have made the same layers of it that the configuration, which we hashed, names. */
async function lookUp(chain: ImageChain, engine: Engine): Promise<string | undefined> {
  // Classic storage calls an image by its configuration, containerd's store by manifest or index.
  for (const name of [chain.config, chain.manifest, chain.requested]) {
    const found = await engine.image(name);
    if (!found) continue;
    if (JSON.stringify(found.diffIds) !== JSON.stringify(chain.diffIds))
      throw new Fault(
        'image_mismatch',
        `the engine's image ${name} has other layers than its configuration names`,
      );
    return found.id;
  }
  return undefined;
}

/** Engines wait for registries without an end: one that answered us before, and no longer does, is lost for them, too. */
async function pullFrom(
  repository: string,
  digest: Digest,
  { engine, registries }: ImageSources,
  signal: AbortSignal,
): Promise<void> {
  const registry = registries.patience(repository);
  if (!(await registry.lives())) return engine.pull(repository, digest, signal);
  const wait = { what: `give the engine ${digest}`, quietMs: Number.POSITIVE_INFINITY, silent: true };
  try {
    await registry.wait(wait, (turn) =>
      engine.pull(repository, digest, AbortSignal.any([signal, turn.signal]), turn.heard),
    );
  } catch (error) {
    throw error instanceof Unanswered
      ? asFault('registry_unreachable', `the engine cannot pull ${repository}@${digest}`, error)
      : error;
  }
}

/** Returns the image, present on the engine; pulls it by digest, or else loads it, when it is not there yet. */
export async function ensureImage(
  requested: Digest,
  s: ImageSources,
  signal: AbortSignal,
): Promise<PresentImage> {
  const { chain, repository } = await resolveImage(requested, s);
  const local = await lookUp(chain, s.engine);
  if (local) return { ...chain, id: local, repository };
  const faults: unknown[] = [];
  for (const candidate of repository ? [repository] : s.repositories) {
    try {
      await pullFrom(candidate, chain.manifest, s, signal);
    } catch (error) {
      faults.push(explained(error, chain));
      continue;
    }
    const pulled = await lookUp(chain, s.engine);
    if (pulled) return { ...chain, id: pulled, repository: candidate };
    faults.push(
      new Fault(
        'image_mismatch',
        `the engine pulled ${candidate}@${chain.manifest} but does not have ${chain.config}`,
      ),
    );
  }
  if (s.archive) {
    try {
      await s.engine.load(s.archive(chain), signal);
    } catch (error) {
      throw explained(error, chain);
    }
    const loaded = await lookUp(chain, s.engine);
    if (loaded) return { ...chain, id: loaded, repository };
    throw new Fault('image_mismatch', `the engine loaded ${requested} but does not have ${chain.config}`);
  }
  throw (
    faults[0] ??
    new Fault(
      'image_not_found',
      `${requested} is not on the engine, and no repository is known to pull it from`,
    )
  );
}
