/** Pushes a bundle: its blobs straight out of the archive, then its root, then what is attached to it. */
import { openAsBlob } from 'node:fs';

import { type Digest, digestOf } from '../../base/digest.ts';
import { EMPTY, EMPTY_CONFIG, manifestDescriptor } from '../format/format.ts';
import { Refused } from '../format/refused.ts';
import { BLOCK_BYTES, spaceOf } from '../format/tar.ts';
import { attachedFiles } from '../read/layout.ts';
import type { Opened } from '../read/open.ts';
import { examineBundle } from '../verify/verify.ts';
import { putManifest } from './manifests.ts';
import { addToFallback, type Referrer } from './referrers.ts';
import type { RegistryReference } from './registry-reference.ts';
import { Remote, type Transfer } from './remote.ts';
import { uploadBlob } from './upload.ts';

export interface Pushed {
  root: Digest;
  /** Of the bundle's blobs, how many the registry did not have. */
  sent: number;
  blobs: number;
  attached: number;
}

type Named = [Digest, Blob];
/** The parts of a bundle that are needed here; its documents, which may be large, are freed. */
type Accepted = Pick<Opened, 'root' | 'rootText' | 'layers' | 'attachments' | 'blobs'>;

async function accept(path: string): Promise<Accepted> {
  const { verification: result, opened } = await examineBundle(path);
  const [first] = result.problems;
  if (first || !opened)
    throw new Refused(first?.code ?? 'manifest_form', `${path}: ${first?.message}; nothing was pushed`);
  const { root, rootText, layers, attachments, blobs } = opened;
  return { root, rootText, layers, attachments, blobs };
}

/** Where the blobs stand in the archive follows from their sizes, once it is known to be a bundle. */
async function blobsOf(path: string, opened: Accepted): Promise<Named[]> {
  const archive = await openAsBlob(path);
  let at = opened.blobs.from;
  const layers = opened.layers.map(({ digest, size }): Named => {
    const from = at + BLOCK_BYTES;
    at += spaceOf(size);
    return [digest, archive.slice(from, from + size)];
  });
  const attached = attachedFiles({ ...opened, root: opened.rootText }).map(
    ([, bytes]): Named => [digestOf(bytes), new Blob([new Uint8Array(bytes)])],
  );
  return [[EMPTY.digest, new Blob([EMPTY_CONFIG])], ...layers, ...attached];
}

/** The manifests of what is attached; a registry that does not list them by itself gets a tag that does. */
async function pushAttached(remote: Remote, { root, attachments }: Accepted): Promise<void> {
  const unlisted: Referrer[] = [];
  for (const { manifest, artifactType } of attachments) {
    const described = manifestDescriptor(manifest);
    const { headers } = await putManifest(remote, described.digest, manifest);
    if (headers.get('oci-subject') !== root) unlisted.push({ ...described, artifactType });
  }
  if (unlisted.length > 0) await addToFallback(remote, root, unlisted);
}

/** Pushes the bundle at `path`, once it is accepted; what the registry has already is not sent again. */
export async function pushBundle(
  path: string,
  { repository, tag }: RegistryReference,
  o: Transfer,
): Promise<Pushed> {
  const opened = await accept(path);
  const { root, rootText, attachments } = opened;
  const remote = new Remote(repository, o);
  const blobs = await blobsOf(path, opened);
  let sent = 0;
  for (const [i, [digest, content]] of blobs.entries()) {
    o.onBlob?.(`${i + 1}/${blobs.length} ${digest} ${content.size} bytes`);
    if (await uploadBlob(remote, digest, content)) sent++;
  }
  await putManifest(remote, root, rootText);
  await pushAttached(remote, opened);
  // Last, so that a client that finds the tag finds everything behind it.
  if (tag !== undefined) await putManifest(remote, tag, rootText);
  return { root, sent, blobs: blobs.length, attached: attachments.length };
}
