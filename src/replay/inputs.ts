/** Copies a manifest's inputs into the private store, hashed while they are copied; only the copies are mounted. */
import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';

import type { Digest } from '../base/digest.ts';
import { asFault, Fault } from '../base/fault.ts';
import type { ManifestInput } from '../manifest/definition.ts';
import type { VolumeFile } from '../sandbox/volume.ts';
import { type BlobStore, hashFile } from '../store/blobs.ts';

/** Hashes an input with `read`, which is given its real path; a Fault says what is wrong with it. */
async function hashInput<T extends { sha256: Digest }>(
  folder: string,
  input: ManifestInput,
  read: (path: string) => Promise<T>,
): Promise<T> {
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
  const found = await read(real).catch((error: unknown) => {
    throw asFault('input_mismatch', `input ${path} cannot be read`, error);
  });
  if (found.sha256 !== input.sha256)
    throw new Fault(
      'input_mismatch',
      `input ${path} has digest ${found.sha256}, the manifest says ${input.sha256}`,
    );
  return found;
}

async function copyInput(folder: string, input: ManifestInput, store: BlobStore): Promise<VolumeFile> {
  // A process that could write to the store before must not decide what is mounted.
  const { sha256, sizeBytes } = await hashInput(folder, input, (path) => store.putFile(path, true));
  return { path: input.path, mode: 0o444, content: { file: store.path(sha256), sizeBytes } };
}

/** Checks the inputs as a run does, and keeps nothing; a Fault names the first that does not match the manifest. */
export async function checkInputs(folder: string, inputs: ManifestInput[]): Promise<void> {
  for (const input of inputs) await hashInput(folder, input, hashFile);
}

/** The files for /case; a Fault names the first input that does not match the manifest. */
export async function copyInputs(
  folder: string,
  inputs: ManifestInput[],
  store: BlobStore,
): Promise<VolumeFile[]> {
  const files: VolumeFile[] = [];
  for (const input of inputs) files.push(await copyInput(folder, input, store));
  return files;
}
