/** An image of a store as one tar, for an engine that cannot reach the registry on our loopback interface. */

import { statSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { Digest } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import { present } from '../../base/list.ts';
import type { ImageChain } from '../../sandbox/chain.ts';
import type { BlobStore } from '../../store/blobs.ts';
import { blobName, OCI_LAYOUT } from '../format/format.ts';
import { manifestType } from '../format/loopback.ts';
import { paddingBytes, TAR_END, tarHeader } from '../format/tar.ts';

async function* members(store: BlobStore, chain: ImageChain): AsyncGenerator<Uint8Array> {
  // A layer may be in an image twice, a name in an archive once.
  const digests = new Set<Digest>([chain.manifest, chain.config, ...chain.layers]);
  for (const digest of digests)
    if (!store.has(digest))
      throw new Fault('image_not_found', `the bundle lacks ${digest}, which its image is made of`);
  const manifest = present(await store.get(chain.manifest));
  const described = { mediaType: manifestType(manifest), digest: chain.manifest, size: manifest.length };
  const documents = {
    'oci-layout': OCI_LAYOUT,
    'index.json': JSON.stringify({ schemaVersion: 2, manifests: [described] }),
    // No tag: the image is known by digests alone.
    'manifest.json': JSON.stringify([
      { Config: blobName(chain.config), RepoTags: null, Layers: chain.layers.map(blobName) },
    ]),
  };
  for (const [name, text] of Object.entries(documents)) {
    const bytes = Buffer.from(text);
    yield tarHeader({ name, sizeBytes: bytes.length });
    yield bytes;
    yield Buffer.alloc(paddingBytes(bytes.length));
  }
  for (const digest of digests) {
    const sizeBytes = statSync(store.path(digest)).size;
    yield tarHeader({ name: blobName(digest), sizeBytes });
    yield* store.stream(digest);
    yield Buffer.alloc(paddingBytes(sizeBytes));
  }
  yield TAR_END;
}

/**
 * The image as its registry has it, streamed: a docker-archive for classic storage, which names an image by its
 * configuration, and an OCI layout for containerd's, which then keeps the manifest's digest.
 */
export function imageArchive(store: BlobStore, chain: ImageChain): Readable {
  return Readable.from(members(store, chain));
}
