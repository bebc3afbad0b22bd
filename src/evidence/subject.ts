/** Whether evidence is about the thing in hand: a digest under its own algorithm, never a name. */
import { type Digest, hexOf } from '../base/digest.ts';
import type { Manifest } from '../manifest/definition.ts';
import { manifestSubject } from '../manifest/subject.ts';
import type { SubjectField } from '../policy/shape.ts';
import { Refusal } from './refusal.ts';
import { DIGEST_HEX_LENGTH, type Statement } from './statement.ts';

/** One thing the evidence must be about. */
export interface WantedSubject {
  /** What asks for it: a manifest's field, "artifact" or "subject". */
  field: string;
  algorithm: string;
  /** Lower-case hex; any one of them will do (an image is known by each link of its chain). */
  anyOf: string[];
}

export interface SubjectResult {
  field: string;
  algorithm: string;
  expected: string;
  matched: boolean;
}

/** The digests a caller can offer, by the policy's names for them, or everything the statement names. */
export type Wanted =
  | { kind: 'fields'; fields: Partial<Record<SubjectField, WantedSubject>> }
  | { kind: 'listed'; subjects: WantedSubject[] }
  | { kind: 'any' };

/** A sha256 digest as a wanted subject. */
export function wantDigest(field: string, ...digests: Digest[]): WantedSubject {
  return { field, algorithm: 'sha256', anyOf: digests.map(hexOf) };
}

/** What evidence about a manifest can be asked to name; the image is known by any of these digests. */
export function wantManifest(manifest: Manifest, image: Digest[] = [manifest.sandbox_image_sha256]): Wanted {
  const { symbol_bundle_sha256: symbols } = manifest;
  return {
    kind: 'fields',
    fields: {
      manifest: wantDigest('manifest', manifestSubject(manifest)),
      sandbox_image_sha256: wantDigest('sandbox_image_sha256', ...image),
      ...(symbols ? { symbol_bundle_sha256: wantDigest('symbol_bundle_sha256', symbols) } : {}),
    },
  };
}

/** "sha256:…", "sha384:…" or "sha512:…" as a wanted subject; undefined when it is none of them. */
export function parseWantedSubject(text: string): WantedSubject | undefined {
  const [, algorithm = '', hex = ''] = /^(sha256|sha384|sha512):([0-9a-f]+)$/.exec(text) ?? [];
  return hex.length > 0 && DIGEST_HEX_LENGTH[algorithm] === hex.length
    ? { field: 'subject', algorithm, anyOf: [hex] }
    : undefined;
}

/** What a requirement's subjects come to for this caller. */
export function resolveWanted(wanted: Wanted, fields: readonly SubjectField[]): WantedSubject[] {
  if (wanted.kind === 'any') return [];
  if (wanted.kind === 'listed') return wanted.subjects;
  return fields.map((field) => {
    const one = wanted.fields[field];
    if (!one)
      throw new Refusal(
        'subject_missing',
        `the policy demands evidence about ${field}, which the manifest does not name`,
      );
    return one;
  });
}

/** Matches every wanted digest against the statement's subjects, all of them or a Refusal. */
export function matchSubjects(statement: Statement, wanted: WantedSubject[]): SubjectResult[] {
  const results = wanted.map(({ field, algorithm, anyOf }) => {
    const found = anyOf.find((hex) =>
      statement.subjects.some(({ digest }) => Object.hasOwn(digest, algorithm) && digest[algorithm] === hex),
    );
    return { field, algorithm, expected: found ?? anyOf[0]!, matched: found !== undefined };
  });
  const missing = results.find(({ matched }) => !matched);
  if (missing)
    throw new Refusal(
      'subject_missing',
      `no subject is ${missing.field} (${missing.algorithm}:${missing.expected}); the evidence is about ${statement.subjects
        .slice(0, 3)
        .map(({ name, digest }) => `${name ?? 'something'} (sha256:${digest.sha256 ?? 'none'})`)
        .join(', ')}${statement.subjects.length > 3 ? ` and ${statement.subjects.length - 3} more` : ''}`,
    );
  return results;
}
