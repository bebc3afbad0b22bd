/** Content digests: a branded string "sha256:" + 64 lower-case hex digits. */
import { createHash, hash } from 'node:crypto';

export type Digest = string & { readonly __digest: 'sha256' };

export const DIGEST_PATTERN: RegExp = /^sha256:[0-9a-f]{64}$/;

/** True for the only accepted spelling of a digest. */
export function isDigest(text: string): text is Digest {
  return DIGEST_PATTERN.test(text);
}

/** A text that is known to be a digest, such as one from our own store; a RangeError where it is none. */
export function asDigest(text: string): Digest {
  if (!isDigest(text)) throw new RangeError(`${text.slice(0, 80)} is no digest`);
  return text;
}

/** The digest of bytes that are all in memory. */
export function digestOf(bytes: string | Uint8Array): Digest {
  return digestFromHex(hash('sha256', bytes, 'hex'));
}

/** The digest with these 64 lower-case hex digits; other text is a bug of the caller, which has to check it first. */
export function digestFromHex(hex: string): Digest {
  return asDigest(`sha256:${hex}`);
}

/** The 64 hex digits of a digest, for file names. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/** A running digest, for bytes that arrive in pieces. */
export function startDigest(): { update(bytes: Uint8Array): void; end(): Digest } {
  const running = createHash('sha256');
  return {
    update: (bytes) => void running.update(bytes),
    end: () => digestFromHex(running.digest('hex')),
  };
}
