/** The chain index -> manifest -> configuration -> diff_ids, resolved from bytes we hashed ourselves. */
import { type Digest, isDigest } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { isObject, itemsOf, memberOf, membersOf, parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';

export interface Platform {
  os: string;
  architecture: string;
}

export interface ImageChain {
  requested: Digest;
  kind: 'index' | 'manifest';
  platform: Platform;
  manifest: Digest;
  config: Digest;
  diffIds: Digest[];
  /** As the registry has them, lowest first. */
  layers: Digest[];
  /** The compression of the layers by the manifest's word: gzip, zstd; '' for none or unknown. */
  compressions: string[];
  entrypoint: string[];
  cmd: string[];
  env: string[];
  /** Folders the image declares as volumes: engines mount something there that no capture sees. */
  volumes: string[];
}

/** Gives the bytes of a digest, already checked against it. */
export type FetchBytes = (kind: 'manifests' | 'blobs', digest: Digest) => Promise<Buffer>;

type Json = Record<string, unknown>;

function bad(digest: Digest, message: string): Fault {
  return new Fault('image_mismatch', `${digest} ${message}`);
}

function parseDocument(bytes: Buffer, digest: Digest): Json {
  const parsed = parseJson(bytes, { sizeBytes: LIMITS.imageDocumentBytes, depth: 64 });
  if (!parsed.ok)
    throw bad(digest, `is not usable JSON: ${parsed.problems[0]?.path} ${parsed.problems[0]?.message}`);
  if (!isObject(parsed.value)) throw bad(digest, 'is no object');
  return parsed.value;
}

function digestIn(value: unknown, from: Digest, what: string): Digest {
  const digest = memberOf(value, 'digest');
  if (typeof digest !== 'string' || !isDigest(digest)) throw bad(from, `names no digest for its ${what}`);
  return digest;
}

function strings(value: unknown): string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : [];
}

function pickPlatform(index: Json, requested: Digest, wanted: Platform): Digest {
  const first = itemsOf(index.manifests).find((entry) => {
    const { os, architecture } = membersOf(memberOf(entry, 'platform'));
    return os === wanted.os && architecture === wanted.architecture;
  });
  if (!first)
    throw new Fault(
      'unsupported_platform',
      `${requested} is an index without an image for ${wanted.os}/${wanted.architecture}`,
    );
  return digestIn(first, requested, 'platform manifest');
}

/** Follows the chain from the requested digest down to the layers' digests, for the engine's platform. */
export async function resolveChain(
  requested: Digest,
  wanted: Platform,
  fetchBytes: FetchBytes,
): Promise<ImageChain> {
  let document = parseDocument(await fetchBytes('manifests', requested), requested);
  let manifest = requested;
  const kind = Array.isArray(document.manifests) ? 'index' : 'manifest';
  if (kind === 'index') {
    manifest = pickPlatform(document, requested, wanted);
    document = parseDocument(await fetchBytes('manifests', manifest), manifest);
  }
  const config = digestIn(document.config, manifest, 'configuration');
  const image = parseDocument(await fetchBytes('blobs', config), config);
  const named = strings(memberOf(image.rootfs, 'diff_ids'));
  const diffIds = named.filter(isDigest);
  if (diffIds.length === 0 || diffIds.length < named.length)
    throw bad(config, 'is no image configuration (it lists no layers)');
  const platform = { os: String(image.os), architecture: String(image.architecture) };
  if (platform.os !== wanted.os || platform.architecture !== wanted.architecture)
    throw new Fault(
      'unsupported_platform',
      `the image is for ${platform.os}/${platform.architecture}, the engine runs ${wanted.os}/${wanted.architecture}`,
    );
  const layers = Array.isArray(document.layers) ? document.layers : [];
  const settings = membersOf(image.config);
  return {
    requested,
    kind,
    platform,
    manifest,
    config,
    diffIds,
    layers: layers.map((layer) => digestIn(layer, manifest, 'layer')),
    compressions: layers.map((layer) => /[+.](gzip|zstd)$/.exec(String(Object(layer).mediaType))?.[1] ?? ''),
    entrypoint: strings(settings.Entrypoint),
    cmd: strings(settings.Cmd),
    env: strings(settings.Env),
    volumes: Object.keys(membersOf(settings.Volumes)),
  };
}
