/** What an image's own documents say, from the pinned digest down to its layers; a record's statements are never used. */
import { type Digest, isDigest } from '../../base/digest.ts';
import { isObject, itemsOf, membersOf, parseJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { itemAt } from '../../base/list.ts';
import { Refused } from './refused.ts';

/** The documents of an image in their order; `index` only where the pinned digest is one. */
export interface ImageDocuments {
  index: Digest | undefined;
  manifest: Digest;
  config: Digest;
  diffIds: string[];
  layers: { digest: Digest; size: number }[];
}

function documentAt(bytes: Buffer, digest: Digest): Record<string, unknown> {
  const parsed = parseJson(bytes, { sizeBytes: LIMITS.imageDocumentBytes, depth: LIMITS.documentDepth });
  if (!parsed.ok || !isObject(parsed.value))
    throw new Refused('manifest_form', `the image document ${digest} is no JSON object`);
  return parsed.value;
}

function descriptors(value: unknown, where: Digest): { digest: Digest; size: number }[] {
  return itemsOf(value).map((one) => {
    const { digest, size } = membersOf(one);
    if (typeof digest !== 'string' || !isDigest(digest) || typeof size !== 'number')
      throw new Refused(
        'manifest_form',
        `the image document ${where} names something without digest and size`,
      );
    return { digest, size };
  });
}

/** Follows the documents from `pinned`; undefined where one is not at hand. Of an index, the first that is at hand counts. */
export async function imageDocuments(
  pinned: Digest,
  get: (digest: Digest) => Promise<Buffer | undefined> | Buffer | undefined,
): Promise<ImageDocuments | undefined> {
  const first = await get(pinned);
  if (!first) return undefined;
  let document = documentAt(first, pinned);
  let manifest: Digest | undefined = pinned;
  if (Array.isArray(document.manifests)) {
    manifest = undefined;
    for (const { digest } of descriptors(document.manifests, pinned)) {
      const bytes = await get(digest);
      if (!bytes) continue;
      manifest = digest;
      document = documentAt(bytes, digest);
      break;
    }
  }
  if (!manifest) return undefined;
  const config = itemAt(descriptors([document.config], manifest), 0).digest;
  const settings = await get(config);
  if (!settings) return undefined;
  const rootfs = membersOf(documentAt(settings, config).rootfs);
  return {
    index: manifest === pinned ? undefined : pinned,
    manifest,
    config,
    diffIds: itemsOf(rootfs.diff_ids).map(String),
    layers: descriptors(document.layers, manifest),
  };
}
