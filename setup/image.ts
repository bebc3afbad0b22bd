/** Builds an OCI image from layer tars and pushes it to a registry over HTTP; same layers, same digest. */
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

import { type Digest, digestOf } from '../src/base/digest.ts';

export interface BuiltImage {
  repository: string;
  /** Digest of the image manifest. */
  manifest: Digest;
  config: Digest;
}

export interface ImageConfig {
  Entrypoint?: string[];
  Cmd?: string[];
  Env?: string[];
  WorkingDir?: string;
  User?: string;
}

const OCI = 'application/vnd.oci.image';

async function pushBlob(base: string, bytes: Uint8Array): Promise<Digest> {
  const digest = digestOf(bytes);
  if ((await fetch(`${base}/blobs/${digest}`, { method: 'HEAD' })).ok) return digest;
  const started = await fetch(`${base}/blobs/uploads/`, { method: 'POST' });
  const place = new URL(started.headers.get('location') ?? '', `${base}/`);
  place.searchParams.set('digest', digest);
  const done = await fetch(place, {
    method: 'PUT',
    body: bytes as never,
    headers: { 'content-type': 'application/octet-stream' },
  });
  if (!done.ok) throw new Error(`the registry refused a blob: ${done.status} ${await done.text()}`);
  return digest;
}

/** An uncompressed tar with one program in it. */
export async function tarOf(path: string, content: Buffer): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name: path, mode: 0o755, mtime: new Date(0) }, content);
  tar.finalize();
  return await buffer(tar);
}

/** Pushes bytes as a manifest under their digest. */
export async function pushManifest(
  host: string,
  name: string,
  text: string,
  mediaType: string,
): Promise<Digest> {
  const digest = digestOf(text);
  const done = await fetch(`http://${host}/v2/${name}/manifests/${digest}`, {
    method: 'PUT',
    body: text,
    headers: { 'content-type': mediaType },
  });
  if (!done.ok) throw new Error(`the registry refused a manifest: ${done.status} ${await done.text()}`);
  return digest;
}

/** Pushes layers (uncompressed tars, lowest first) as one linux image of this machine's architecture. */
export async function pushImage(
  host: string,
  name: string,
  layers: Uint8Array[],
  config: ImageConfig,
): Promise<BuiltImage> {
  const base = `http://${host}/v2/${name}`;
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const described = [];
  for (const layer of layers) {
    const compressed = gzipSync(layer, { level: 6 });
    described.push({
      mediaType: `${OCI}.layer.v1.tar+gzip`,
      digest: await pushBlob(base, compressed),
      size: compressed.length,
    });
  }
  const created = '1970-01-01T00:00:00Z';
  const configBytes = Buffer.from(
    JSON.stringify({
      architecture,
      os: 'linux',
      created,
      config,
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) },
      history: layers.map(() => ({ created })),
    }),
  );
  const configDigest = await pushBlob(base, configBytes);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: { mediaType: `${OCI}.config.v1+json`, digest: configDigest, size: configBytes.length },
    layers: described,
  });
  const digest = await pushManifest(host, name, manifest, `${OCI}.manifest.v1+json`);
  return { repository: `${host}/${name}`, manifest: digest, config: configDigest };
}
