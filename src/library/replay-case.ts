/** Replay manifests in the store: kept with all that they name, and laid out again as a case that can be replayed. */

import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { canonicalJson } from '../base/canonical-json.ts';
import type { Digest } from '../base/digest.ts';
import { asFault, Fault } from '../base/fault.ts';
import { showProblem } from '../base/json.ts';
import { present } from '../base/list.ts';
import { parseEnvelopeReference } from '../evidence/documents/reference.ts';
import { EvidenceFinder } from '../evidence/verify/find.ts';
import type { Manifest } from '../manifest/definition.ts';
import { type LoadedManifest, loadManifests } from '../manifest/load.ts';
import { parseManifest } from '../manifest/parse.ts';
import { copyInputs } from '../replay/inputs.ts';
import type { BlobStore } from '../store/blobs.ts';
import { parseRecord } from '../verdict/parse.ts';

/** Keeps a manifest's inputs and the envelope it names beside it, so that it can be replayed without its folder. */
export async function keepManifest(path: string, blobs: BlobStore): Promise<Manifest> {
  const [loaded, ...more] = await loadManifests([path]);
  if (!loaded || more.length > 0)
    throw new Fault('usage', `${path} names ${more.length + 1} manifests: name one`);
  const { manifest, folder } = loaded;
  await copyInputs(folder, manifest.inputs ?? [], blobs);
  if (manifest.dsse_envelope !== undefined) {
    const finder = new EvidenceFinder([blobs.folder]);
    const reference = parseEnvelopeReference(manifest.dsse_envelope);
    const envelope = await finder.envelope(folder, path, reference).catch((error: unknown) => {
      throw asFault('input_mismatch', `${path} names an envelope that is not there`, error);
    });
    await blobs.put(envelope.bytes, true);
  }
  return manifest;
}

/** The manifest of a record that was made in this store; undefined where it was made elsewhere. */
export async function recordedManifest(blobs: BlobStore, record: Digest): Promise<Manifest | undefined> {
  const bytes = await blobs.get(record);
  const { manifest_sha256 } = parseRecord(present(bytes), record);
  const kept = manifest_sha256 === null ? undefined : await blobs.get(manifest_sha256);
  const parsed = kept && parseManifest(kept);
  return parsed?.ok ? parsed.value.manifest : undefined;
}

/** Copies a manifest's inputs out of a store to where it expects them; `missing` makes the Fault for one that is not there. */
export function layInputs(
  { inputs = [] }: Manifest,
  folder: string,
  blobs: BlobStore,
  missing: (input: { source: string; sha256: Digest }, error: unknown) => Fault,
): void {
  for (const input of inputs) {
    const target = join(folder, input.source);
    try {
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(blobs.path(input.sha256), target);
    } catch (error) {
      throw missing(input, error);
    }
  }
}

/** Throws a Fault where the store does not have an input. */
export function layOut(manifest: Manifest, name: string, folder: string, blobs: BlobStore): LoadedManifest {
  const parsed = parseManifest(Buffer.from(canonicalJson(manifest)));
  if (!parsed.ok)
    throw new Fault(
      'manifest_invalid',
      `the stored manifest: ${parsed.problems.map(showProblem).join('; ')}`,
    );
  mkdirSync(folder, { recursive: true });
  layInputs(parsed.value.manifest, folder, blobs, ({ source, sha256 }, error) =>
    asFault('input_mismatch', `the store does not have the input ${source} (${sha256})`, error),
  );
  return { ...parsed.value, path: join(folder, 'manifest.json'), folder, name: manifest.name ?? name };
}
