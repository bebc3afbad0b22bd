/** reenact artifact add and fetch: what was shipped, bound to its signed provenance. */

import { existsSync, rmSync } from 'node:fs';
import { shippedFile } from '../../artifacts/file.ts';
import { linksOf, shippedImage } from '../../artifacts/oci.ts';
import { prove, sift } from '../../artifacts/prove.ts';
import { Unpacking } from '../../artifacts/unpacking.ts';
import { systemClock } from '../../base/clock.ts';
import type { Digest } from '../../base/digest.ts';
import { EXIT, Fault } from '../../base/fault.ts';
import { temporaryFolder } from '../../base/temporary.ts';
import { readAttestations } from '../../bundle/registry/attestations.ts';
import { imageSource } from '../../bundle/registry/image.ts';
import { parseReference } from '../../bundle/registry/reference.ts';
import { Remote, type Transfer } from '../../bundle/registry/remote.ts';
import { addArtifact, type Proof, type Shipped } from '../../join/store/artifacts.ts';
import { provenOf } from '../../join/store/proven.ts';
import { resolveImages } from '../../join/store/resolve.ts';
import { symbolizer } from '../../library/symbolizer.ts';
import { type AddedArtifact, artifactReport, countPrograms } from '../../report/artifact.ts';
import type { Arguments } from '../arguments.ts';
import { evidenceExit } from '../shared/evidence-exit.ts';
import { evidenceFiles, trustOf } from '../shared/evidence-files.ts';
import { onePositional } from '../shared/positionals.ts';
import { withStore } from '../shared/store.ts';
import { withTransfer } from '../shared/transfer.ts';

/** An image is named by its digest alone: a tag is no identity. */
function imageReference(text: string): { repository: string; digest: Digest } {
  const { repository, digest } = parseReference(text);
  if (digest === undefined) throw new Fault('usage', `name the image by its digest: ${repository}@sha256:…`);
  return { repository, digest };
}

/** Unpacks into a folder of its own, which is gone afterwards. */
async function inFolder<T>(work: (unpacking: Unpacking, transfer: Transfer) => Promise<T>): Promise<T> {
  const folder = temporaryFolder('artifact');
  try {
    return await withTransfer((transfer) => work(new Unpacking(folder, transfer.signal!), transfer));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Found {
  shipped: Shipped;
  unpacking: Unpacking;
  proofs: Proof[];
  leftOut: string[];
}

async function keep(a: Arguments, { shipped, unpacking, proofs, leftOut }: Found): Promise<number> {
  const named = { ...shipped, name: a.text('name') ?? shipped.name };
  const { sha256, kind, name, sizeBytes } = named;
  const proven: AddedArtifact['proven'] = [];
  await withStore(a, async (store) => {
    const { images } = await addArtifact(store, named, proofs);
    // Traces may know these programs by their digest alone, and now learn of which build they are.
    await resolveImages(store, symbolizer(), images);
    for (const link of linksOf(named)) {
      const known = await provenOf(store.database, link.sha256);
      if (known) proven.push({ sha256: link.sha256, kind: link.kind, ...known });
    }
  });
  const added: AddedArtifact = {
    ...{
      sha256,
      kind,
      name,
      size_bytes: sizeBytes,
      ...countPrograms(named),
      unread: unpacking.unread,
      proven,
    },
    evidence: proofs.map(({ subject, record }) => ({ subject, record })),
    left_out: leftOut,
  };
  process.stdout.write(a.flag('json') ? `${JSON.stringify(added, null, 2)}\n` : artifactReport(added));
  const statuses = proofs.map(({ record }) => evidenceExit(record));
  return (
    statuses.find((status) => status === EXIT.rejected) ?? statuses.find((status) => status > 0) ?? EXIT.ok
  );
}

export async function addArtifactFile(a: Arguments): Promise<number> {
  const what = onePositional(a, 'thing that was shipped: FILE or REPO@sha256:…');
  const named = a.list('evidence');
  if (named.length === 0 && a.text('policy') !== undefined)
    throw new Fault(
      'usage',
      'a policy judges evidence: name some (reenact artifact add --evidence E), or leave --policy out',
    );
  const trust = named.length > 0 ? await trustOf(a) : undefined;
  const files = await evidenceFiles(named);
  const image = /@sha256:/.test(what) && !existsSync(what) ? imageReference(what) : undefined;
  const found = await inFolder(async (unpacking, transfer) => {
    const shipped = image
      ? await shippedImage(image.digest, imageSource(new Remote(image.repository, transfer)), unpacking)
      : await shippedFile(what, unpacking);
    const proofs = trust ? await prove(shipped, files, trust, systemClock.now()) : [];
    return { shipped, unpacking, proofs, leftOut: [] };
  });
  return await keep(a, found);
}

export async function fetchArtifact(a: Arguments): Promise<number> {
  const { repository, digest } = imageReference(onePositional(a, 'image: REPO@sha256:…'));
  const trust = await trustOf(a);
  const found = await inFolder(async (unpacking, transfer) => {
    const remote = new Remote(repository, transfer);
    const shipped = await shippedImage(digest, imageSource(remote), unpacking);
    const links = linksOf(shipped).filter(({ kind }) => kind === 'oci_image');
    const attached = await readAttestations(
      remote,
      links.map(({ sha256 }) => sha256),
    );
    const nowMs = systemClock.now();
    const files = await sift(shipped, attached.files, trust, nowMs);
    const proofs = await prove(shipped, files, trust, nowMs);
    return { shipped, unpacking, proofs, leftOut: attached.leftOut };
  });
  return await keep(a, found);
}
