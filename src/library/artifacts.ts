/** What was shipped, bound to its signed provenance. */
import { existsSync, rmSync } from 'node:fs';
import { shippedFile } from '../artifacts/file.ts';
import { linksOf, shippedImage } from '../artifacts/oci.ts';
import { prove, sift } from '../artifacts/prove.ts';
import { Unpacking } from '../artifacts/unpacking.ts';
import { systemClock } from '../base/clock.ts';
import type { Digest } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { temporaryFolder } from '../base/temporary.ts';
import { readAttestations } from '../bundle/registry/attestations.ts';
import { imageSource } from '../bundle/registry/image.ts';
import { parseReference } from '../bundle/registry/registry-reference.ts';
import { Remote, type Transfer } from '../bundle/registry/remote.ts';
import { addArtifact as keepArtifact, type Proof, type Shipped } from '../join/store/artifacts.ts';
import { provenOf } from '../join/store/proven.ts';
import { resolveImages } from '../join/store/resolve.ts';
import { type AddedArtifact, countPrograms } from '../report/artifact.ts';
import { evidenceFiles } from './evidence-files.ts';
import type { PolicyInput, Session } from './session.ts';
import { signersTrust } from './signers.ts';
import { withStore } from './store.ts';
import { symbolizer } from './symbolizer.ts';
import { transferOf } from './transfer.ts';

/** An image is named by its digest alone: a tag is no identity. */
function imageReference(text: string): { repository: string; digest: Digest } {
  const { repository, digest } = parseReference(text);
  if (digest === undefined) throw new Fault('usage', `name the image by its digest: ${repository}@sha256:…`);
  return { repository, digest };
}

/** Unpacks into a folder of its own, which is gone afterwards. */
async function inFolder<T>(
  session: Session,
  work: (unpacking: Unpacking, transfer: Transfer) => Promise<T>,
): Promise<T> {
  const folder = temporaryFolder('artifact');
  try {
    return await work(new Unpacking(folder, session.signal), transferOf(session));
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

async function keep(
  session: Session,
  { shipped, unpacking, proofs, leftOut }: Found,
  called: string | undefined,
): Promise<AddedArtifact> {
  const named = { ...shipped, name: called ?? shipped.name };
  const { sha256, kind, name, sizeBytes } = named;
  const proven: AddedArtifact['proven'] = [];
  await withStore(session, async (store) => {
    const { images } = await keepArtifact(store, named, proofs);
    // Traces may know these programs by their digest alone, and now learn of which build they are.
    await resolveImages(store, symbolizer(), images);
    for (const link of linksOf(named)) {
      const known = await provenOf(store.database, link.sha256);
      if (known) proven.push({ sha256: link.sha256, kind: link.kind, ...known });
    }
  });
  return {
    sha256,
    kind,
    name,
    size_bytes: sizeBytes,
    ...countPrograms(named),
    unread: unpacking.unread,
    proven,
    evidence: proofs.map(({ subject, record }) => ({ subject, record })),
    left_out: leftOut,
  };
}

/** What is said of an artifact; every field may be left out. */
export interface AddArtifactOptions {
  /** Files of evidence, or folders of them; without any, nothing is proven of the artifact. */
  evidence?: readonly string[] | undefined;
  /** It must name who may sign. Default: the one that the library was opened with. */
  policy?: PolicyInput | undefined;
  /** What people call it. Default: its file's, package's or image's name. */
  name?: string | undefined;
}

/** Adds a file, a Debian package or an image (`REPOSITORY@sha256:…`), and every program in it. */
export async function addArtifact(
  session: Session,
  what: string,
  o: AddArtifactOptions = {},
): Promise<AddedArtifact> {
  const named = o.evidence ?? [];
  if (named.length === 0 && o.policy !== undefined)
    throw new Fault(
      'usage',
      'a policy judges evidence: name some (reenact artifact add --evidence E), or leave --policy out',
    );
  const trust = named.length > 0 ? await signersTrust(session, o.policy) : undefined;
  const files = await evidenceFiles(named);
  const image = /@sha256:/.test(what) && !existsSync(what) ? imageReference(what) : undefined;
  const found = await inFolder(session, async (unpacking, transfer) => {
    const shipped = image
      ? await shippedImage(image.digest, imageSource(new Remote(image.repository, transfer)), unpacking)
      : await shippedFile(what, unpacking);
    const proofs = trust ? await prove(shipped, files, trust, systemClock.now()) : [];
    return { shipped, unpacking, proofs, leftOut: [] };
  });
  return await keep(session, found, o.name);
}

/** Adds an image with the attestations that its registry holds. */
export async function fetchArtifact(
  session: Session,
  what: string,
  o: Omit<AddArtifactOptions, 'evidence'> = {},
): Promise<AddedArtifact> {
  const { repository, digest } = imageReference(what);
  const trust = await signersTrust(session, o.policy);
  const found = await inFolder(session, async (unpacking, transfer) => {
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
  return await keep(session, found, o.name);
}
