/** Canonical JSON (RFC 8785): the digest of a structured value is always taken over these bytes. */
import stringify from 'fast-json-stable-stringify';

import { type Digest, digestOf } from './digest.ts';

/** RFC 8785 text of a JSON value. Units: none; throws a TypeError for what JSON cannot say. */
export function canonicalJson(value: unknown): string {
  assertJson(value);
  return stringify(value);
}

/** Digest of the canonical JSON of a value. */
export function canonicalDigest(value: unknown): Digest {
  return digestOf(canonicalJson(value));
}

/** The serialiser would silently write null for NaN and drop functions: a digest must not hide that. */
function assertJson(value: unknown): void {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError('not a JSON number');
  if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol')
    throw new TypeError(`not JSON: ${typeof value}`);
  if (value === null || typeof value !== 'object') return;
  for (const one of Object.values(value)) assertJson(one);
}
