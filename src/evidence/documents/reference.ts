/** References in manifests: `dsse:` names a file by digest, `rekor:` a log entry under one signed tree. */
import { type Digest, isDigest } from '../../base/digest.ts';
import { Refusal } from '../common/refusal.ts';

export interface LogReference {
  origin: string;
  index: number;
  size: number;
  root: Buffer;
}

const LOG_REFERENCE = /^rekor:([^/]+)\/(0|[1-9][0-9]{0,15})@(0|[1-9][0-9]{0,15})\?root=([0-9a-f]{64})$/;

/** Longer names fit into no file system. */
const MAX_ORIGIN = 250;

/** `rekor:<percent-encoded origin>/<index>@<size>?root=<sha256 hex>`. */
export function formatLogReference({ origin, index, size, root }: LogReference): string {
  return `rekor:${encodeURIComponent(origin)}/${index}@${size}?root=${root.toString('hex')}`;
}

/** The one spelling of a reference, or a Refusal: two spellings of one entry could be compared as two. */
export function parseLogReference(text: string): LogReference {
  const fail = (): Refusal =>
    new Refusal(
      'log_reference',
      `${JSON.stringify(text.slice(0, 120))} is not rekor:<origin>/<index>@<size>?root=<64 hex digits>`,
    );
  const [, encoded = '', index = '', size = '', root = ''] = LOG_REFERENCE.exec(text) ?? [];
  let origin: string;
  try {
    origin = decodeURIComponent(encoded);
  } catch {
    throw fail();
  }
  const reference = { origin, index: Number(index), size: Number(size), root: Buffer.from(root, 'hex') };
  if (
    origin === '' ||
    encoded.length > MAX_ORIGIN ||
    !Number.isSafeInteger(reference.size) ||
    formatLogReference(reference) !== text
  )
    throw fail();
  if (reference.index >= reference.size)
    throw new Refusal('log_reference', `entry ${index} cannot be in a tree of ${size} leaves`);
  return reference;
}

/** `dsse:sha256:<hex>`: the digest of the exact bytes of a bundle or envelope file. */
export function parseEnvelopeReference(text: string): Digest {
  const digest = text.slice('dsse:'.length);
  if (!text.startsWith('dsse:') || !isDigest(digest))
    throw new Refusal(
      'evidence_malformed',
      `$.dsse_envelope ${JSON.stringify(text.slice(0, 120))} is not dsse:sha256:<64 lower-case hex digits>`,
    );
  return digest;
}
