/** The attestations that a registry holds for an image: referrers of its digest, and the tag that cosign used before there were any. */
import { type Digest, digestOf, hexOf, isDigest } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import { itemsOf, memberOf, membersOf, parseJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import type { SourceFile } from '../../evidence/verify/verify.ts';
import { MANIFEST_TYPE } from '../format/format.ts';
import { readReferrers } from './referrers.ts';
import type { Remote } from './remote.ts';

/** Sigstore bundles and DSSE envelopes, as cosign, GitHub and oras attach them. */
const ATTESTATION =
  /^application\/vnd\.(?:dev\.sigstore\.bundle(?:\.v\d[\w.]*)?\+json(?:;version=[\d.]+)?|in-toto(?:[\w.-]*\+dsse|\+json)|dsse\.envelope(?:\.v\d[\w.]*)?\+json)$/;
/** The most attachments that are read: every account that may push can attach more. */
const MOST_MANIFESTS = 256;
const MOST_BYTES = 67_108_864;

export interface Attached {
  files: SourceFile[];
  /** What was not examined, in words. */
  leftOut: string[];
}

/** Bytes from the registry that have this digest; undefined where it does not have them. */
async function fetchExact(
  remote: Remote,
  kind: 'manifests' | 'blobs',
  digest: string,
): Promise<Buffer | undefined> {
  const found = await remote.document(remote.session.url(`${kind}/${digest}`), MANIFEST_TYPE);
  if (found && digestOf(found.bytes) !== digest)
    throw new Fault(
      'registry_mismatch',
      `${remote.host} served bytes with digest ${digestOf(found.bytes)} for ${digest}, which is attached to the image`,
    );
  return found?.bytes;
}

/** The layers of a manifest that are attestations; a manifest that is none has none. */
function attestationsIn(bytes: Buffer): { digest: Digest; size: number }[] {
  const parsed = parseJson(bytes, { sizeBytes: LIMITS.imageDocumentBytes, depth: LIMITS.documentDepth });
  const layers = parsed.ok ? memberOf(parsed.value, 'layers') : undefined;
  return itemsOf(layers).flatMap((layer) => {
    const { mediaType, digest, size } = membersOf(layer);
    const fits = typeof mediaType === 'string' && ATTESTATION.test(mediaType);
    return fits && typeof digest === 'string' && isDigest(digest) && typeof size === 'number'
      ? [{ digest, size }]
      : [];
  });
}

/** The manifests that may hold attestations of this digest, from any author. */
async function* manifestsAbout(remote: Remote, subject: Digest, leftOut: string[]): AsyncGenerator<Buffer> {
  const referrers = (await readReferrers(remote, subject)).filter(
    ({ digest, artifactType }) =>
      isDigest(digest) && (typeof artifactType !== 'string' || ATTESTATION.test(artifactType)),
  );
  if (referrers.length > MOST_MANIFESTS)
    leftOut.push(`${referrers.length - MOST_MANIFESTS} of ${referrers.length} referrers of ${subject}`);
  for (const { digest } of referrers.slice(0, MOST_MANIFESTS)) {
    const bytes = await fetchExact(remote, 'manifests', digest);
    if (bytes) yield bytes;
  }
  const tag = remote.session.url(`manifests/sha256-${hexOf(subject)}.att`);
  const tagged = await remote.document(tag, MANIFEST_TYPE);
  if (tagged) yield tagged.bytes;
}

/** All that is attached to these digests and may be evidence; a Fault where the registry serves other bytes than it names. */
export async function readAttestations(remote: Remote, subjects: Digest[]): Promise<Attached> {
  const files = new Map<Digest, SourceFile>();
  const leftOut: string[] = [];
  let total = 0;
  for (const subject of subjects)
    for await (const manifest of manifestsAbout(remote, subject, leftOut))
      for (const { digest, size } of attestationsIn(manifest)) {
        const name = `${remote.repository}@${digest}`;
        if (files.has(digest)) continue;
        if (size > LIMITS.imageDocumentBytes || total + size > MOST_BYTES) {
          leftOut.push(`${name}, ${size} bytes`);
          continue;
        }
        const bytes = await fetchExact(remote, 'blobs', digest);
        total += bytes?.length ?? 0;
        if (bytes) files.set(digest, { name, bytes });
        else leftOut.push(`${name}, which the registry does not have`);
      }
  return { files: [...files.values()], leftOut };
}
