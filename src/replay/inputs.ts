/** Copies a manifest's inputs into the private store, hashed while they are copied; only the copies are mounted. */
import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';

import { asFault, Fault } from '../base/fault.ts';
import type { ManifestInput } from '../manifest/definition.ts';
import type { VolumeFile } from '../sandbox/volume.ts';
import type { BlobStore } from '../store/blobs.ts';

async function copyInput(folder: string, input: ManifestInput, store: BlobStore): Promise<VolumeFile> {
  const path = join(folder, input.source);
  let real: string;
  try {
    real = await realpath(path);
  } catch (error) {
    throw asFault('input_mismatch', `input ${path} cannot be read`, error);
  }
  // A link that leads out of the manifest's folder would let a stranger's manifest read any file.
  if (!real.startsWith(`${await realpath(folder)}${sep}`))
    throw new Fault('input_mismatch', `input ${path} leads out of the manifest's folder`);
  // Whoever could write the store before must not decide what is mounted.
  const { sha256, sizeBytes } = await store.putFile(real, true).catch((error: unknown) => {
    throw asFault('input_mismatch', `input ${path} cannot be read`, error);
  });
  if (sha256 !== input.sha256)
    throw new Fault(
      'input_mismatch',
      `input ${path} has digest ${sha256}, the manifest says ${input.sha256}`,
    );
  return { path: input.path, mode: 0o444, content: { file: store.path(sha256), sizeBytes } };
}

/** The files for /case; a Fault names the first input that is not what the manifest says. */
export async function copyInputs(
  folder: string,
  inputs: ManifestInput[],
  store: BlobStore,
): Promise<VolumeFile[]> {
  const files: VolumeFile[] = [];
  for (const input of inputs) files.push(await copyInput(folder, input, store));
  return files;
}
