/** An OCI image: index, manifest, configuration, layers, each committed to by the digest that the one before names. */

import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, isDigest, startDigest } from '../base/digest.ts';
import { itemsOf, memberOf, membersOf, parseJson, showProblem } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { itemAt, present } from '../base/list.ts';
import type { Shipped, ShippedKind } from '../join/store/artifacts.ts';
import { contentsOf } from './contents.ts';
import { decompressed } from './decompress.ts';
import { programsIn } from './tar.ts';
import { type Unpacking, wrongArtifact } from './unpacking.ts';

interface Blob {
  digest: Digest;
  size: number;
}

/** Where an image is read from; whatever it gives has the digest that was asked for. */
export interface ImageSource {
  /** Host and path. */
  repository: string;
  document(kind: 'manifests' | 'blobs', digest: Digest): Promise<Buffer>;
  /** Writes the whole blob to the file at `path`. */
  blob(blob: Blob, path: string): Promise<void>;
}

type Json = Record<string, unknown>;

/** What one image is read with; a layer that several images have is read once. */
interface Reading {
  source: ImageSource;
  unpacking: Unpacking;
  layers: Map<string, Shipped>;
}

function nameOf({ source }: Reading, digest: Digest): string {
  return `${source.repository}@${digest}`;
}

function shipped(
  reading: Reading,
  kind: ShippedKind,
  { digest, size }: Blob,
  contents: Shipped['contents'],
): Shipped {
  const name = nameOf(reading, digest);
  return { sha256: digest, kind, name, sizeBytes: size, images: [], build: {}, contents };
}

async function documentOf(
  reading: Reading,
  kind: 'manifests' | 'blobs',
  digest: Digest,
): Promise<{ document: Json; size: number }> {
  const bytes = await reading.source.document(kind, digest);
  const limits = { sizeBytes: LIMITS.imageDocumentBytes, depth: LIMITS.documentDepth };
  const parsed = parseJson(bytes, limits);
  if (!parsed.ok) throw wrongArtifact(nameOf(reading, digest), showProblem(itemAt(parsed.problems, 0)));
  return { document: membersOf(parsed.value), size: bytes.length };
}

/** A list of things in the registry, each with digest and size. */
function blobsIn(value: unknown, where: string, most: number): Blob[] {
  const list = itemsOf(value);
  if (list.length > most)
    throw wrongArtifact(where, `it names ${list.length} parts, at most ${most} are read`);
  return list.map((one) => {
    const { digest, size } = membersOf(one);
    if (typeof digest !== 'string' || !isDigest(digest) || !Number.isSafeInteger(size) || Number(size) < 0)
      throw wrongArtifact(where, 'it names a part without a sha256 digest and a size');
    return { digest, size: Number(size) };
  });
}

async function readLayer(reading: Reading, blob: Blob, diffId: string): Promise<Shipped> {
  const { source, unpacking, layers } = reading;
  const key = `${blob.digest} ${diffId}`;
  const known = layers.get(key);
  if (known) return known;
  const name = nameOf(reading, blob.digest);
  const { layerBytes } = unpacking.limits;
  if (blob.size > layerBytes)
    throw wrongArtifact(name, `a layer of ${blob.size} bytes, at most ${layerBytes} are read`);
  const path = join(unpacking.folder, 'layer');
  const digest = startDigest();
  try {
    await source.blob(blob, path);
    const hashed = async function* (): AsyncGenerator<Uint8Array> {
      for await (const piece of decompressed(createReadStream(path), name, unpacking)) {
        digest.update(piece);
        yield piece;
      }
    };
    const programs = await programsIn(hashed(), name, unpacking);
    const actual = digest.end();
    if (actual !== diffId)
      throw wrongArtifact(name, `the layer unpacks to ${actual}, and the configuration names ${diffId}`);
    const layer = shipped(reading, 'oci_layer', blob, contentsOf(name, programs));
    layers.set(key, layer);
    return layer;
  } finally {
    await rm(path, { force: true });
  }
}

/** The configuration commits to its layers unpacked, the manifest to the configuration: evidence about either holds for the files. */
async function readManifest(
  reading: Reading,
  digest: Digest,
  document: Json,
  size: number,
): Promise<Shipped> {
  const where = nameOf(reading, digest);
  const { limits } = reading.unpacking;
  const [config] = blobsIn([document.config], where, 1);
  const layers = blobsIn(document.layers, where, limits.layers);
  const image = await documentOf(reading, 'blobs', present(config).digest);
  const diffIds = memberOf(image.document.rootfs, 'diff_ids');
  if (!Array.isArray(diffIds) || diffIds.length !== layers.length)
    throw wrongArtifact(
      where,
      `it has ${layers.length} layers, and its configuration does not name as many: no image`,
    );
  const contents: Shipped['contents'] = [];
  for (const [n, layer] of layers.entries())
    contents.push({ path: `layer ${n}`, shipped: await readLayer(reading, layer, String(diffIds[n])) });
  const inner = shipped(
    reading,
    'oci_config',
    { digest: present(config).digest, size: image.size },
    contents,
  );
  return shipped(reading, 'oci_image', { digest, size }, [{ path: 'config', shipped: inner }]);
}

/** Builders list attestations beside the images, for a platform that is none; a registry can list them as what they are. */
function isImage(entry: unknown): boolean {
  const { platform, artifactType } = membersOf(entry);
  return artifactType === undefined && memberOf(platform, 'os') !== 'unknown';
}

/** An image with all its parts; for an index, every image that it lists. Throws a Fault where a part does not have its digest. */
export async function shippedImage(
  digest: Digest,
  source: ImageSource,
  unpacking: Unpacking,
): Promise<Shipped> {
  const reading: Reading = { source, unpacking, layers: new Map() };
  const { document, size } = await documentOf(reading, 'manifests', digest);
  if (!Array.isArray(document.manifests)) return await readManifest(reading, digest, document, size);
  const where = nameOf(reading, digest);
  const contents: Shipped['contents'] = [];
  const images = blobsIn(document.manifests.filter(isImage), where, unpacking.limits.manifests);
  for (const [n, image] of images.entries()) {
    const inner = await documentOf(reading, 'manifests', image.digest);
    const found = await readManifest(reading, image.digest, inner.document, inner.size);
    contents.push({ path: `image ${n}`, shipped: found });
  }
  if (contents.length === 0) throw wrongArtifact(where, 'an index that lists no image');
  return shipped(reading, 'oci_image', { digest, size }, contents);
}

/** The digests of a shipped thing that evidence may be about: its own and, for an image, those of its manifests and configurations. */
export function linksOf(one: Shipped): Shipped[] {
  const inner = one.contents
    .map((content) => content.shipped)
    .filter(({ kind }) => kind === 'oci_image' || kind === 'oci_config');
  return [one, ...inner.flatMap(linksOf)];
}
