/** The policy file's form: one definition for the check and for the JSON Schema editors use. */
import type { Digest } from '../base/digest.ts';
import {
  array,
  boolean,
  closed,
  described,
  dictionary,
  digestText,
  integer,
  number,
  object,
  oneOf,
  type Shape,
  string,
} from '../base/shape.ts';
import { tableOf } from '../base/table.ts';
import { type CertificateFields, FIELD_MEANINGS, FIELD_NAMES } from './certificate-fields.ts';
import * as words from './descriptions.ts';

/** How the image's content is checked: by the engine's word, or by hashing its layers here. */
export type ImageCheck = 'engine' | 'content';

/**
 * How an expected crash is compared: by its whole signature, by the functions of the program, which rebuilding keeps, or
 * not at all. Without an expectation the replays are compared with each other in the same way.
 */
export type SameCrash = 'exact' | 'function' | 'off';

export interface Gates {
  /** Least share of requested replays that must match, 0 to 1. */
  replay_ratio: number;
  /** Every state identical to a given expectation, content-checked image, nothing degraded, claims borne out. */
  forensic: boolean;
  image_check: ImageCheck;
  /** Whether replays are refused where something of full determinism is missing; left out: all where forensic. */
  mechanisms?: 'all' | 'any';
  /** Left out: exact. */
  same_crash?: SameCrash;
  /** Least share of a trace's first frames that are joined to symbols, an artifact and its provenance, 0 to 1. */
  join_completeness?: number;
  chain_of_custody?: Custody;
  /** How many frames must be the same where a stack was cut and its outermost frame is unknown. */
  known_frames?: number;
}

/** What each join must bear: `logged`: a signer, a trusted time and a log entry; `signed`: a signer. */
export type Custody = 'logged' | 'signed';

/** `required`: a proof that the entry is in the log; `promise`: the log's signed promise; `none`: no log. */
export type Transparency = 'required' | 'promise' | 'none';

/** An identity in a Fulcio certificate, and what else the certificate must say. */
export interface Keyless extends CertificateFields {
  issuer?: string;
  issuerRegExp?: string;
  /** Only certificates that name no issuer: the certificate authority alone vouches for the subject. */
  noIssuer?: true;
  subject?: string;
  subjectRegExp?: string;
}

/** One who may sign: a key, or an identity that a certificate authority vouched for. */
export interface Authority {
  id: string;
  keyless?: Keyless;
  key?: KeyFile;
  transparency?: Transparency;
  timestamps?: { min: number };
}

export interface KeyFile {
  path: string;
  alg?: string;
  notBefore?: string;
  notAfter?: string;
  revokedAt?: string;
}

/** What must be proven: this kind of statement, about these things, by this many of these authorities. */
export interface Requirement {
  predicateType?: string | string[];
  threshold?: { of?: string[]; min?: number };
  subjects?: SubjectField[];
  match?: Record<string, unknown>;
  slsa?: { level: number; builders: Record<string, number> };
}

/** One of several trust roots: a file, which may list more than one itself, or the one that comes with this release. */
export interface RootTrust {
  path?: string;
  embedded?: typeof EMBEDDED_ROOT;
  sha256?: Digest;
}

/** The public instance's root, by its name. */
export const EMBEDDED_ROOT = 'sigstore-public-good';

/** A log of one's own, beside those of the trust root. */
export interface LogTrust {
  key: string;
  notBefore?: string;
  notAfter?: string;
  witnesses?: { keys: string[]; min: number };
}

export const SUBJECT_FIELDS = ['manifest', 'symbol_bundle_sha256', 'sandbox_image_sha256'] as const;
export type SubjectField = (typeof SUBJECT_FIELDS)[number];

export interface PolicyDocument {
  version: 1;
  gates?: Partial<Gates>;
  trust?: { root?: string; sha256?: Digest; roots?: RootTrust[]; logs?: LogTrust[] };
  authorities?: Authority[];
  require?: Requirement[];
}

const time = string({
  pattern: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
  hint: 'a time in UTC, such as 2026-01-31T00:00:00Z',
});
const file = string({ pattern: /^[^\u0000]+$/, max: 4096, hint: 'a file, relative to the policy’s folder' });
const name = string({ pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, hint: 'letters, digits, ".", "_", "-"' });
const identity = string({
  pattern: /\S/,
  max: 2048,
  hint: 'an exact value; * stands for part of a path segment, ** for anything',
});
const certificateField = string({
  pattern: /\S/,
  max: 2048,
  hint: 'a text, numbers in quotes; * stands for part of a path segment, ** for anything',
});
const pin = digestText('sha256: and 64 lower-case hex digits');
const verifierKey = string({
  pattern: /^\S+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/,
  max: 1024,
  hint: 'a verifier key as C2SP writes it: name+hash+base64',
});

/** A field that is either left out or true. */
const always: Shape<true> = {
  check: (value, path, problems) => {
    if (value !== true) problems.push({ path, message: 'is not true', hint: 'leave it out instead' });
  },
  schema: () => ({ const: true }),
};

/** Any JSON value: what a predicate is compared with. */
const anything: Shape<unknown> = { check: () => undefined, schema: () => ({}) };

/** One predicate type or several. */
const predicateTypes: Shape<string | string[]> = {
  check(value, path, problems) {
    const one = string({ pattern: /^\S+$/, max: 1024 });
    (Array.isArray(value) ? array(one, { min: 1 }) : one).check(value, path, problems);
  },
  schema: () => ({
    anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' }, minItems: 1 }],
  }),
};

const keyless: Shape<Keyless> = object(
  {
    ...described(words.IDENTITY, {
      ...{ issuer: identity, issuerRegExp: identity, noIssuer: always },
      ...{ subject: identity, subjectRegExp: identity },
    }),
    ...described(
      FIELD_MEANINGS,
      tableOf(FIELD_NAMES, () => certificateField),
    ),
  },
  [],
);

const key: Shape<KeyFile> = object(
  described(words.KEY, {
    path: file,
    alg: string({ max: 32 }),
    notBefore: time,
    notAfter: time,
    revokedAt: time,
  }),
  ['path'],
);

const authority: Shape<Authority> = object(
  described(words.AUTHORITY, {
    id: name,
    keyless,
    key,
    transparency: oneOf('required', 'promise', 'none'),
    timestamps: closed(described(words.TIMESTAMPS, { min: integer(0, 8) })),
  }),
  ['id'],
);

const requirement: Shape<Requirement> = object(
  described(words.REQUIREMENT, {
    predicateType: predicateTypes,
    threshold: object(described(words.THRESHOLD, { of: array(name, { min: 1 }), min: integer(1, 64) }), []),
    subjects: array(oneOf(...SUBJECT_FIELDS), { min: 1 }),
    match: dictionary(/^(?:\/[^/]*)*$/, anything),
    slsa: closed(described(words.SLSA, { level: integer(1, 4), builders: dictionary(/\S/, integer(1, 4)) })),
  }),
  [],
);

const gates: Shape<Partial<Gates>> = object(
  described(words.GATES, {
    replay_ratio: number(0, 1),
    forensic: boolean(),
    image_check: oneOf('engine', 'content'),
    mechanisms: oneOf('all', 'any'),
    same_crash: oneOf('exact', 'function', 'off'),
    join_completeness: number(0, 1),
    chain_of_custody: oneOf('logged', 'signed'),
    known_frames: integer(1, 256),
  }),
  [],
);

const root: Shape<RootTrust> = object(
  described(words.ROOT, { path: file, embedded: oneOf(EMBEDDED_ROOT), sha256: pin }),
  [],
);

const witnesses = closed(
  described(words.WITNESSES, { keys: array(verifierKey, { min: 1, max: 64 }), min: integer(1, 64) }),
);

const log: Shape<LogTrust> = object(
  described(words.LOG, { key: verifierKey, notBefore: time, notAfter: time, witnesses }),
  ['key'],
);

const trust = object(
  described(words.TRUST, {
    root: file,
    sha256: pin,
    roots: array(root, { min: 1, max: 16 }),
    logs: array(log, { max: 64 }),
  }),
  [],
);

export const policyShape: Shape<PolicyDocument> = object(
  described(words.DOCUMENT, {
    version: oneOf(1),
    gates,
    trust,
    authorities: array(authority, { min: 1, max: 256 }),
    require: array(requirement, { min: 1, max: 64 }),
  }),
  ['version'],
  'Reenact policy, version 1',
);

/** The JSON Schema of a policy file. */
export function policySchema(): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Reenact policy',
    ...policyShape.schema(),
  };
}
