/** Reads manifests and configurations from a registry by digest; every byte is hashed before it is used. */

import { type Digest, digestOf, startDigest } from '../base/digest.ts';
import { asFault, Fault } from '../base/fault.ts';
import { writeAside } from '../base/files.ts';
import { type Answer, readBounded } from '../base/http.ts';
import { LIMITS } from '../base/limits.ts';
import type { Patience, Waiting } from '../base/patience.ts';
import { causeOf } from '../base/thrown.ts';
import type { BlobStore } from '../store/blobs.ts';
import { RegistrySession, registryPatience, type Sending, splitRepository } from './registry-session.ts';

export const IMAGE_TYPES: string = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

async function readDocument(response: Answer): Promise<Buffer> {
  const bytes = await readBounded(response, LIMITS.imageDocumentBytes);
  if (!bytes) throw new Error(`the answer is over ${LIMITS.imageDocumentBytes} bytes`);
  return bytes;
}

/** The registries that images come from, one patience for each: what was silent once is not waited for anew. */
export class Registries {
  private readonly waiting: Waiting;
  private readonly known = new Map<string, Patience>();
  constructor(waiting: Waiting = {}) {
    this.waiting = waiting;
  }

  patience(repository: string): Patience {
    const { host } = splitRepository(repository);
    const patience = this.known.get(host) ?? registryPatience(host, this.waiting);
    this.known.set(host, patience);
    return patience;
  }
}

/** Asks for a manifest or blob and returns the answer; a Fault says whether it is missing or the registry is down. */
async function ask<T>(
  registries: Registries,
  repository: string,
  kind: 'manifests' | 'blobs',
  digest: Digest,
  limits: Pick<Sending, 'totalMs'>,
  read: (response: Answer) => Promise<T>,
): Promise<T> {
  const { host } = splitRepository(repository);
  try {
    const patience = registries.patience(repository);
    const { tryQuietMs: quietMs } = patience.limits;
    const session = new RegistrySession(repository, patience);
    const url = session.url(`${kind}/${digest}`);
    const headers = { accept: IMAGE_TYPES };
    const response = await session.send(url, { headers, quietMs, ...limits });
    const { status } = response;
    if (status === 404) throw new Fault('image_not_found', `${repository} does not have ${digest}`);
    if (status === 401 || status === 403)
      throw new Fault(
        'registry_denied',
        `${host} answered HTTP ${status} for ${digest} in ${repository}`,
        undefined,
        'see that the repository is there and can be read without a login, which replays do not have',
      );
    if (!response.ok)
      throw new Fault(
        'registry_unreachable',
        `${host} answered HTTP ${status} for ${digest}`,
        undefined,
        'see the registry’s own log, try again later, or name another repository',
      );
    return await read(response);
  } catch (error) {
    const cause = causeOf(error);
    throw error instanceof Fault
      ? error
      : asFault('registry_unreachable', `cannot read ${digest} from ${host}`, cause);
  }
}

function lied(repository: string, digest: Digest, actual: Digest): Fault {
  const { host } = splitRepository(repository);
  return new Fault('image_bytes_mismatch', `${host} served bytes with digest ${actual} for ${digest}`);
}

/** The bytes of a manifest or configuration, proven to have the digest. */
export async function fetchByDigest(
  registries: Registries,
  repository: string,
  kind: 'manifests' | 'blobs',
  digest: Digest,
): Promise<Buffer> {
  const limits = { totalMs: LIMITS.registryTimeoutMs };
  const bytes = await ask(registries, repository, kind, digest, limits, readDocument);
  const actual = digestOf(bytes);
  if (actual !== digest) throw lied(repository, digest, actual);
  return bytes;
}

/** Keeps a layer of exactly this size and digest in the store, streamed; of any other, nothing is kept. */
export async function fetchLayer(
  registries: Registries,
  repository: string,
  digest: Digest,
  sizeBytes: number,
  store: BlobStore,
): Promise<void> {
  if (store.has(digest)) return;
  await ask(registries, repository, 'blobs', digest, {}, async (response) => {
    await writeAside(store.path(digest), async (file) => {
      const running = startDigest();
      let count = 0;
      for await (const piece of response.body) {
        count += piece.length;
        if (count > sizeBytes)
          throw new Fault('image_bytes_mismatch', `${digest} is over its ${sizeBytes} bytes`);
        running.update(piece);
        await file.write(piece);
      }
      const actual = running.end();
      if (actual !== digest) throw lied(repository, digest, actual);
    });
  });
}
