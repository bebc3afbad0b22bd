/** What evidence about a manifest must name: everything in it that decides what runs and what is expected. */
import { canonicalDigest } from '../base/canonical-json.ts';
import type { Digest } from '../base/digest.ts';
import type { Manifest } from './definition.ts';

/**
 * SHA-256 of the manifest's canonical JSON (RFC 8785) without dsse_envelope and rekor_tile_ref: an envelope
 * cannot name itself. Every other field is covered, so that none can be swapped under a valid signature.
 */
export function manifestSubject(manifest: Manifest): Digest {
  const { dsse_envelope: _envelope, rekor_tile_ref: _reference, ...covered } = manifest;
  return canonicalDigest(covered);
}
