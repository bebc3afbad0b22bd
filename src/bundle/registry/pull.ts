/** Pulls a bundle: its parts into a folder beside the target, from there the archive, and its name only at the end. */

import { existsSync, linkSync, lstatSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Digest, hexOf, isDigest } from '../../base/digest.ts';
import { asFault, Fault } from '../../base/fault.ts';
import { LIMITS } from '../../base/limits.ts';
import { present } from '../../base/list.ts';
import { wantFree } from '../../base/output.ts';
import { isOneOf } from '../../base/table.ts';
import { errnoOf } from '../../base/thrown.ts';
import { safe } from '../../report/human.ts';
import { ATTACHED_BYTES, type Attachment, attachmentShape, inOrder } from '../custody/attached.ts';
import { parseEvent } from '../custody/event.ts';
import {
  ATTACHED,
  type AttachedType,
  type Descriptor,
  MAX_ATTACHED,
  manifestDescriptor,
  manifestShape,
  parseDocument,
} from '../format/format.ts';
import { Refused } from '../format/refused.ts';
import { MEMBER_BYTES } from '../format/tar.ts';
import type { Layout } from '../read/layout.ts';
import { examineBundle } from '../verify/verify.ts';
import { assemble } from './assemble.ts';
import { downloadBlob } from './download.ts';
import { getManifest } from './manifests.ts';
import { type Referrer, readReferrers } from './referrers.ts';
import type { RegistryReference } from './registry-reference.ts';
import { Remote, type Transfer } from './remote.ts';

export interface Pulled {
  root: Digest;
  sizeBytes: number;
  attached: number;
  /** Types of what others attached, which is no part of a bundle. */
  others: string[];
}

/** A download in progress: the registry, and the folder where parts lie by their digests. */
interface Pull {
  remote: Remote;
  folder: string;
  onBlob: Transfer['onBlob'];
}

/** A folder of our own: in a shared one, another user could have put links there. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    const there = lstatSync(folder, { throwIfNoEntry: false });
    if (!there) throw error;
    if (!there.isDirectory() || there.uid !== process.getuid?.())
      throw new Fault('out_failed', `${folder} is there and is not a folder of ours: remove it`);
  }
}

async function fetchBlob({ remote, folder, onBlob }: Pull, blob: Descriptor): Promise<string> {
  const path = join(folder, hexOf(blob.digest));
  onBlob?.(`${blob.digest} ${blob.size} bytes`);
  await downloadBlob(remote, blob, path);
  return path;
}

/** One attachment, its manifest proven to be about this root, its contents fetched. */
async function fetchAttachment(
  pull: Pull,
  root: Descriptor,
  digest: Digest,
  type: AttachedType,
): Promise<Attachment> {
  const bytes = await getManifest(pull.remote, digest, digest);
  const { layers } = parseDocument(
    bytes,
    attachmentShape(type, root),
    `the attached manifest ${digest}`,
    LIMITS.imageDocumentBytes,
  );
  const contents: Buffer[] = [];
  for (const layer of layers) {
    if (layer.size > ATTACHED_BYTES)
      throw new Refused('manifest_form', `an attachment is ${layer.size} bytes, over ${ATTACHED_BYTES}`);
    contents.push(readFileSync(await fetchBlob(pull, layer)));
  }
  return { artifactType: type, manifest: bytes.toString(), contents };
}

function isOurs(artifactType: unknown): artifactType is AttachedType {
  return isOneOf(Object.values(ATTACHED), artifactType);
}

/** The type of another tool's attachment; early ones state it only in their manifest. */
function typeOf({ artifactType }: Referrer): string {
  return typeof artifactType === 'string' ? artifactType : 'of no named type';
}

/** The attachments in the order that they have in a bundle: a registry lists them in any order. */
async function fetchAttachments(pull: Pull, root: Descriptor, listed: Referrer[]): Promise<Attachment[]> {
  const types = new Map<Digest, AttachedType>();
  for (const { digest, artifactType } of listed) {
    if (!isOurs(artifactType)) continue;
    if (!isDigest(digest))
      throw new Fault(
        'registry_mismatch',
        `${pull.remote.host} lists ${safe(digest).slice(0, 100)}, no digest`,
      );
    types.set(digest, artifactType);
  }
  if (types.size > MAX_ATTACHED)
    throw new Refused(
      'manifest_form',
      `${types.size} events and timestamps are attached, over ${MAX_ATTACHED}`,
    );
  const found: { sequence: number; attachment: Attachment }[] = [];
  for (const [digest, type] of types) {
    const attachment = await fetchAttachment(pull, root, digest, type);
    const [envelope, key] = attachment.contents;
    const event =
      type === ATTACHED.event
        ? parseEvent(present(envelope), present(key), root.digest, `event ${digest}`)
        : undefined;
    found.push({ sequence: event?.sequence ?? 0, attachment });
  }
  found.sort((a, b) => a.sequence - b.sequence);
  return inOrder(found.map(({ attachment }) => attachment));
}

/** Fetches everything and puts it together, under a name inside the folder. */
async function fetchAll(pull: Pull, bytes: Buffer): Promise<{ archive: string; others: string[] }> {
  const { layers } = parseDocument(bytes, manifestShape, 'the root manifest', LIMITS.imageDocumentBytes);
  const large = layers.find(({ size }) => size > MEMBER_BYTES);
  if (large)
    throw new Refused('manifest_form', `${large.digest} is ${large.size} bytes, over ${MEMBER_BYTES}`);
  const root = manifestDescriptor(bytes.toString());
  const listed = await readReferrers(pull.remote, root.digest);
  makeFolder(pull.folder);
  const attachments = await fetchAttachments(pull, root, listed);
  for (const layer of layers) await fetchBlob(pull, layer);
  const layout: Layout = { root: bytes.toString(), layers, attachments };
  const others = listed.filter(({ artifactType }) => !isOurs(artifactType)).map(typeOf);
  return { archive: await assemble(pull.folder, layout), others };
}

/** Adds to any error that ended a pull what is left of it. */
function leftBehind(error: unknown, folder: string): unknown {
  let rest = existsSync(folder) ? `; what was downloaded is in ${folder}` : '';
  if (error instanceof Refused) return new Refused(error.code, error.message + rest, error);
  if (rest) rest += ', and the same command goes on from there';
  if (error instanceof Fault) return new Fault(error.code, error.message + rest, error);
  const code = errnoOf(error);
  return typeof code !== 'string' ? error : asFault('out_failed', `cannot write ${folder}${rest}`, error);
}

/** Pulls a bundle to `target`, verified, whole or not at all, never over a file that is there. */
export async function pullBundle(target: string, from: RegistryReference, o: Transfer): Promise<Pulled> {
  wantFree(target, 'nothing was pulled');
  const name = from.digest ?? from.tag;
  if (name === undefined)
    throw new Fault('usage', `say which one: ${from.repository}@sha256:…, its identity, or a tag`);
  const folder = join(dirname(target), `.${basename(target)}.part`);
  const pull = { remote: new Remote(from.repository, o), folder, onBlob: o.onBlob };
  try {
    const bytes = await getManifest(pull.remote, name, from.digest);
    const { archive, others } = await fetchAll(pull, bytes);
    const { verification: result, opened } = await examineBundle(archive);
    const [first] = result.problems;
    if (first || !opened) {
      rmSync(archive);
      throw new Refused(first?.code ?? 'manifest_form', first?.message ?? 'it cannot be read');
    }
    // A link fails where a rename would silently replace a file that another process has just written there.
    linkSync(archive, target);
    rmSync(folder, { recursive: true });
    return { root: opened.root, sizeBytes: opened.sizeBytes, attached: opened.attachments.length, others };
  } catch (error) {
    throw leftBehind(error, folder);
  }
}
