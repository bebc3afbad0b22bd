/** The evidence record: what was checked, what it rests on, and why it failed. Only authenticated fields get in. */
import type { Digest } from '../../base/digest.ts';
import {
  array,
  boolean,
  closed,
  described,
  digestText,
  integer,
  nullable,
  object,
  oneOf,
  type Shape,
  string,
} from '../../base/shape.ts';
import { keysOf, tableOf } from '../../base/table.ts';
import {
  type CertificateField,
  type CertificateFields,
  FIELD_MEANINGS,
  FIELD_NAMES,
} from '../../policy/certificate-fields.ts';
import { ALGORITHMS, type Algorithm } from '../common/keys.ts';
import { REFUSALS, type RefusalCode } from '../common/refusal.ts';
import * as words from './descriptions.ts';
import type { SubjectResult } from './subject.ts';

export const CHECKS = [
  'form',
  'signature',
  'statement',
  'subject',
  'predicate',
  'log',
  'time',
  'identity',
] as const;
export type CheckName = (typeof CHECKS)[number];

export interface CheckResult {
  name: CheckName;
  status: 'passed' | 'failed' | 'not_applicable' | 'not_reached';
  code: RefusalCode | null;
  detail: string;
}

/** A signer whose signature was verified and whom the policy names. */
export interface Signer {
  authority: string;
  /** What the certificate says; null for a key. */
  identity: string | null;
  issuer: string | null;
  algorithm: Algorithm;
  /** SHA-256 of the SubjectPublicKeyInfo. */
  key_fingerprint: Digest;
  /** What the certificate says of the build, by Sigstore's names; null for a key. Records of earlier releases have none. */
  certificate?: CertificateFields | null;
  /** Fields of it that say whose source was built, which neither the identity nor the policy decides. */
  open?: CertificateField[];
}

export interface LogFact {
  origin: string;
  /** The log key's id, hex; null for a promise alone. */
  key_id: string | null;
  index: number;
  checkpoint_size: number | null;
  /** Hex; null for a promise alone. */
  root: string | null;
  leaf: string;
  /** `rekor:…`, the insertion's name; null for a promise alone. */
  tile_ref: string | null;
  witnesses: string[];
}

export interface EnvelopeRecord {
  file: string;
  /** Of the exact bytes of its file. */
  sha256: Digest;
  verdict: 'accepted' | 'rejected';
  code: RefusalCode | null;
  message: string;
  /** What to do about it; records of earlier releases have none. */
  next?: string | null;
  checks: CheckResult[];
  payload_sha256: Digest | null;
  payload_type: string | null;
  predicate_type: string | null;
  subjects: SubjectResult[];
  signers: Signer[];
  timestamps: { source: string; time: string }[];
  log: LogFact[];
}

export interface RequirementRecord {
  predicate_types: string[] | null;
  subjects: string[];
  needed: number;
  /** Distinct keys or identities that fulfil it. */
  signers: number;
  met: boolean;
}

export interface EvidenceRecord {
  evidence_version: 1;
  /** `error`: something failed that has nothing to do with the evidence; the evidence is not accepted then either. */
  verdict: 'verified' | 'rejected' | 'error';
  code: RefusalCode | null;
  /** A Family of REFUSALS; records of other releases may have others. */
  family: string | null;
  message: string;
  next?: string | null;
  /** False where the caller asked for nothing to be compared: then only the signatures were checked. */
  subjects_compared: boolean;
  requirements: RequirementRecord[];
  envelopes: EnvelopeRecord[];
  policy: { name: string; sha256: Digest };
  trust_root: { name: string; sha256: Digest } | null;
  verifier: string;
  verified_at: string;
}

/** What to do about evidence that was refused; an earlier release kept only its code. */
export function nextOf({ code, next }: Pick<EvidenceRecord, 'code' | 'next'>): string {
  return next ?? REFUSALS[code ?? 'internal'].next;
}

const digest = digestText();
const text = string();
const count = integer(0, Number.MAX_SAFE_INTEGER);
const code = nullable(oneOf(...keysOf(REFUSALS)));

// Every member is required, except those that records of earlier releases lack, so that a missing one needs no guessing.
const envelope: Shape<EnvelopeRecord> = closed(
  described(words.ENVELOPE, {
    file: text,
    sha256: digest,
    verdict: oneOf('accepted', 'rejected'),
    code,
    message: text,
    checks: array(
      closed(
        described(words.CHECK, {
          name: oneOf(...CHECKS),
          status: oneOf('passed', 'failed', 'not_applicable', 'not_reached'),
          code,
          detail: text,
        }),
      ),
    ),
    payload_sha256: nullable(digest),
    payload_type: nullable(text),
    predicate_type: nullable(text),
    subjects: array(
      closed(described(words.SUBJECT, { field: text, algorithm: text, expected: text, matched: boolean() })),
    ),
    signers: array(
      closed(
        described(words.SIGNER, {
          authority: text,
          identity: nullable(text),
          issuer: nullable(text),
          algorithm: oneOf(...ALGORITHMS),
          key_fingerprint: digest,
          certificate: nullable(
            object(
              described(
                FIELD_MEANINGS,
                tableOf(FIELD_NAMES, () => text),
              ),
              [],
            ),
          ),
          open: array(oneOf(...FIELD_NAMES)),
        }),
        ['certificate', 'open'],
      ),
    ),
    timestamps: array(closed(described(words.TIMESTAMP, { source: text, time: text }))),
    log: array(
      closed(
        described(words.LOG, {
          origin: text,
          key_id: nullable(text),
          index: count,
          checkpoint_size: nullable(count),
          root: nullable(text),
          leaf: text,
          tile_ref: nullable(text),
          witnesses: array(text),
        }),
      ),
    ),
    next: nullable(text),
  }),
  ['next'],
);

const named = closed(described(words.NAMED, { name: text, sha256: digest }));

export const evidenceRecordShape: Shape<EvidenceRecord> = closed(
  described(words.RECORD, {
    evidence_version: oneOf(1),
    verdict: oneOf('verified', 'rejected', 'error'),
    code,
    family: nullable(text),
    message: text,
    subjects_compared: boolean(),
    requirements: array(
      closed(
        described(words.REQUIREMENT, {
          predicate_types: nullable(array(text)),
          subjects: array(text),
          needed: count,
          signers: count,
          met: boolean(),
        }),
      ),
    ),
    envelopes: array(envelope),
    policy: named,
    trust_root: nullable(named),
    verifier: text,
    verified_at: text,
    next: nullable(text),
  }),
  ['next'],
);

/** The JSON Schema of an evidence record. */
export function evidenceRecordSchema(): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Reenact evidence record',
    ...evidenceRecordShape.schema(),
  };
}
