/** Whether a certificate's identity is one the policy names: always compared as a whole, never as a part. */

import { createContext, Script } from 'node:vm';
import { present } from '../../base/list.ts';

import { type CertificateField, FIELD_NAMES, pinsRepository } from '../../policy/certificate-fields.ts';
import type { Keyless } from '../../policy/shape.ts';
import { Refusal } from '../common/refusal.ts';
import type { Identity } from './certificate.ts';

const PATTERN_MS = 100;
const IDENTITY_CHARACTERS = 4096;

/** Compares with a glob in time proportional to both lengths: `*` stays within a path segment, `**` does not. */
export function matchGlob(glob: string, text: string): boolean {
  const parts = glob.split(/(\*+)/);
  // reached[i]: the first i characters can be matched by the parts so far.
  let reached = new Uint8Array(text.length + 1);
  reached[0] = 1;
  for (const part of parts) {
    const next = new Uint8Array(text.length + 1);
    const wild = part.startsWith('*');
    for (let i = 0; i <= text.length; i++) {
      if (!wild && reached[i] && text.startsWith(part, i)) next[i + part.length] = 1;
      if (wild && (reached[i] || (i > 0 && next[i - 1] && (part.length > 1 || text[i - 1] !== '/'))))
        next[i] = 1;
    }
    reached = next;
  }
  return reached[text.length] === 1;
}

/** Anchors the pattern at both ends, and stops one that takes too long: the text is the signer's to choose. */
function matchPattern(pattern: string, text: string): boolean {
  try {
    const script = new Script('new RegExp(pattern, "u").test(text)');
    const context = createContext({ pattern: `^(?:${pattern})$`, text });
    return script.runInContext(context, { timeout: PATTERN_MS }) as boolean;
  } catch (error) {
    throw new Refusal(
      'identity_mismatch',
      `the policy’s pattern ${pattern.slice(0, 80)} did not come to an end within ${PATTERN_MS} ms`,
      error,
    );
  }
}

/** A field in which a certificate differs from what an authority wants. */
export interface Misfit {
  field: 'issuer' | 'subject' | CertificateField;
  wanted: string;
  /** Null where the certificate does not have the field. */
  actual: string | null;
}

function fits(glob: string | undefined, pattern: string | undefined, value: string): boolean {
  if (value.length > IDENTITY_CHARACTERS) return false;
  return pattern === undefined ? matchGlob(present(glob), value) : matchPattern(pattern, value);
}

/** All differences between an identity and what an authority wants; empty where the identity matches. */
export function misfits(keyless: Keyless, identity: Identity): Misfit[] {
  const found: Misfit[] = [];
  const { issuer, subject, says } = identity;
  // Where the policy says "no issuer", only a certificate without one is accepted: no pattern matches a missing field.
  const byIssuer = keyless.noIssuer
    ? issuer === null
    : issuer !== null && fits(keyless.issuer, keyless.issuerRegExp, issuer);
  if (!byIssuer) {
    const wanted = keyless.noIssuer ? 'none' : (keyless.issuer ?? `/^(?:${keyless.issuerRegExp})$/`);
    found.push({ field: 'issuer', wanted, actual: issuer });
  }
  if (!fits(keyless.subject, keyless.subjectRegExp, subject)) {
    const wanted = keyless.subject ?? `/^(?:${keyless.subjectRegExp})$/`;
    found.push({ field: 'subject', wanted, actual: subject });
  }
  for (const field of FIELD_NAMES) {
    const wanted = keyless[field];
    const actual = says[field] ?? null;
    if (wanted !== undefined && (actual === null || !fits(wanted, undefined, actual)))
      found.push({ field, wanted, actual });
  }
  return found;
}

/** True if the identity, and what its certificate says about the build, match the authority. */
export function matchIdentity(keyless: Keyless, identity: Identity): boolean {
  return misfits(keyless, identity).length === 0;
}

/**
 * Fields that say whose source was built, where the identity does not and the policy leaves them open. The identity of
 * a reusable workflow is that of the workflow: any caller of it is accepted.
 */
export function openFields(keyless: Keyless, { subject, says }: Identity): CertificateField[] {
  const { sourceRepositoryURI, githubWorkflowRepository } = says;
  const source = sourceRepositoryURI ?? githubWorkflowRepository;
  if (source === undefined || pinsRepository(keyless)) return [];
  const own = sourceRepositoryURI ?? `https://github.com/${githubWorkflowRepository}`;
  if (subject.startsWith(`${own}/`)) return [];
  const open = ['sourceRepositoryURI', 'sourceRepositoryOwnerIdentifier'] as const;
  return sourceRepositoryURI === undefined
    ? ['githubWorkflowRepository']
    : open.filter((field) => says[field] !== undefined);
}
