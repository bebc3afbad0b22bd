/** Bundles in registries, by their identity. */
import type { Digest } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { pullBundle as pull } from '../bundle/registry/pull.ts';
import { pushBundle as push } from '../bundle/registry/push.ts';
import { parseReference } from '../bundle/registry/registry-reference.ts';
import type { Session } from './session.ts';
import { transferOf } from './transfer.ts';

/** A bundle that a registry has now. */
export interface PushedBundle {
  root: Digest;
  /** Blobs that were not there yet, of all. */
  sent: number;
  blobs: number;
  /** Events and timestamps. */
  attached: number;
  /** What pulls it: `REPOSITORY@sha256:…`. */
  reference: string;
}

/** A bundle that was written. */
export interface PulledBundle {
  path: string;
  root: Digest;
  sizeBytes: number;
  attached: number;
  /** Whether it was named by a tag, which is no identity: any account that may push can move it. */
  byTag: boolean;
  /** Media types of what others attached, which was left out. */
  others: string[];
}

/** Pushes a bundle to `HOST/REPOSITORY[:TAG]`; blobs that are there already are not sent. */
export async function pushBundle(session: Session, path: string, to: string): Promise<PushedBundle> {
  const reference = parseReference(to);
  if (reference.digest)
    throw new Fault('usage', 'a bundle’s digest is its own: name a repository, and a tag if you want one');
  const { root, sent, blobs, attached } = await push(path, reference, transferOf(session));
  return { root, sent, blobs, attached, reference: `${reference.repository}@${root}` };
}

/** Pulls the bundle `HOST/REPOSITORY@sha256:…` to `path`, with what was attached to it since, and verifies it. */
export async function pullBundle(session: Session, from: string, path: string): Promise<PulledBundle> {
  const reference = parseReference(from);
  const { root, sizeBytes, attached, others } = await pull(path, reference, transferOf(session));
  return { path, root, sizeBytes, attached, byTag: reference.tag !== undefined, others };
}
