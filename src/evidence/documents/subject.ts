/** Whether evidence is about the thing in hand: a digest under its own algorithm, never a name. */
import { type Digest, hexOf } from '../../base/digest.ts';
import { present } from '../../base/list.ts';
import type { Manifest } from '../../manifest/definition.ts';
import { manifestSubject } from '../../manifest/subject.ts';
import type { SubjectField } from '../../policy/shape.ts';
import { type Hashed, hashedBytes } from '../common/hashed.ts';
import { Refusal } from '../common/refusal.ts';
import { DIGEST_HEX_LENGTH, type Statement, type Subject } from './statement.ts';

/** One thing the evidence must be about. */
export interface WantedSubject {
  /** The place that asks for it: a manifest's field, "artifact" or "subject". */
  field: string;
  algorithm: string;
  /** Lower-case hex; any one of them will do (an image is known by each link of its chain). */
  anyOf: string[];
  /** The file itself, where it is at hand: it is then compared with every digest that a subject names. */
  file?: Hashed;
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

/** A file at hand as a wanted subject, by any strong digest that a statement may name. */
export function wantFile(field: string, bytes: Uint8Array): WantedSubject {
  const file = hashedBytes(bytes);
  return { field, algorithm: 'sha256', anyOf: [present(file.digest('sha256')).toString('hex')], file };
}

/** The subjects that evidence about a manifest can be required to name; the image is known by any of these digests. */
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

/** A requirement's subjects, resolved for this caller. */
export function resolveWanted(wanted: Wanted, fields: readonly SubjectField[]): WantedSubject[] {
  if (wanted.kind === 'any') return [];
  if (wanted.kind === 'listed') return wanted.subjects;
  return fields.map((field) => {
    const one = wanted.fields[field];
    if (!one)
      throw new Refusal(
        'subject_missing',
        `the policy demands evidence about ${field}, which the manifest does not name`,
        undefined,
        `name ${field} in the manifest, or take it out of the subjects that the policy requires`,
      );
    return one;
  });
}

/** The digests of a subject that count: SHA-1 and MD5 may stand beside them, but prove nothing. */
function strongDigests({ digest }: Subject): [algorithm: string, hex: string][] {
  return Object.keys(DIGEST_HEX_LENGTH).flatMap((algorithm) =>
    Object.hasOwn(digest, algorithm) ? [[algorithm, present(digest[algorithm])]] : [],
  );
}

/** Under which digest a subject is the wanted thing; a Refusal where one digest is that thing's and another is not. */
function sameAs(subject: Subject, wanted: WantedSubject): { algorithm: string; hex: string } | undefined {
  const compared = strongDigests(subject).flatMap(([algorithm, hex]) => {
    if (wanted.file)
      return [{ algorithm, hex, same: present(wanted.file.digest(algorithm)).toString('hex') === hex }];
    return algorithm === wanted.algorithm ? [{ algorithm, hex, same: wanted.anyOf.includes(hex) }] : [];
  });
  const found = compared.find(({ same }) => same);
  const other = compared.find(({ same }) => !same);
  if (found && other)
    throw new Refusal(
      'subject_malformed',
      `the subject ${subject.name ?? 'without a name'} is ${wanted.field} by ${found.algorithm}, and something else by ${other.algorithm}: its digests contradict each other`,
      undefined,
      'ask the signer which of the two was meant: until then neither digest counts',
    );
  return found;
}

/** A statement's subject for people: its name and what it is known by. */
function describe(subject: Subject): string {
  const strong = strongDigests(subject).map(([algorithm, hex]) => `${algorithm}:${hex}`);
  const weak = Object.keys(subject.digest).join(', ').slice(0, 80);
  return `${subject.name ?? 'something'} (${strong.join(', ') || `only ${weak}, which does not count`})`;
}

/** Matches every wanted digest against the statement's subjects, all of them or a Refusal. */
export function matchSubjects({ subjects }: Statement, wanted: WantedSubject[]): SubjectResult[] {
  return wanted.map((one) => {
    // Every subject is checked: a contradiction counts even if another subject fits.
    const [found] = subjects.flatMap((subject) => sameAs(subject, one) ?? []);
    const { field, algorithm, anyOf } = one;
    if (found) return { field, algorithm: found.algorithm, expected: found.hex, matched: true };
    const more = subjects.length > 3 ? ` and ${subjects.length - 3} more` : '';
    throw new Refusal(
      'subject_missing',
      `no subject is ${field} (${algorithm}:${anyOf[0]}); the evidence is about ${subjects.slice(0, 3).map(describe).join(', ')}${more}`,
    );
  });
}
