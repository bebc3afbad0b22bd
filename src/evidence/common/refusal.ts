/** Why evidence was refused: a closed table of codes in families, and the error that carries one. */
import { EXIT, ReenactError } from '../../base/fault.ts';

/** What kind of check a code belongs to; records and tests compare families across versions. */
export type Family =
  | 'parse'
  | 'signature'
  | 'subject'
  | 'predicate'
  | 'log'
  | 'time'
  | 'identity'
  | 'trust'
  | 'internal';

/** Every code, its family, and what the person should do next; docs/errors.md lists them. */
export const REFUSALS = {
  evidence_too_large: { family: 'parse', next: 'give the evidence file itself, not an archive' },
  evidence_unreadable: {
    family: 'parse',
    next: 'fetch the evidence again: this is not a form that is known',
  },
  evidence_malformed: {
    family: 'parse',
    next: 'have it written again by the tool that made it: the field named is not as its format says',
  },
  evidence_newer: {
    family: 'parse',
    next: 'use a later release of reenact, or have the bundle written in the form v0.3',
  },
  evidence_missing: {
    family: 'parse',
    next: 'put the file that is named beside the manifest, or into a folder evidence there',
  },
  signature_missing: { family: 'signature', next: 'sign it: reenact sign' },
  signature_invalid: { family: 'signature', next: 'do not trust this file: it is not what was signed' },
  signature_duplicate: { family: 'signature', next: 'remove the repeated signature' },
  signature_algorithm: { family: 'signature', next: 'name the algorithm of the key in the policy (alg)' },
  subject_missing: { family: 'subject', next: 'ask the signer for evidence about exactly this digest' },
  subject_malformed: {
    family: 'subject',
    next: 'ask the signer for subjects with a sha256, sha384 or sha512 digest in lower-case hex',
  },
  artifact_mismatch: { family: 'subject', next: 'give the file that was signed' },
  statement_not_in_toto: {
    family: 'predicate',
    next: 'ask the signer for an in-toto statement: nothing else says what it is about',
  },
  statement_malformed: { family: 'parse', next: 'ask the signer for a valid in-toto statement' },
  predicate_type: {
    family: 'predicate',
    next: 'name the predicate type in the policy, or get the one required',
  },
  predicate_malformed: { family: 'predicate', next: 'ask the signer for a predicate as its type defines it' },
  predicate_mismatch: { family: 'predicate', next: 'compare the predicate with the policy’s match' },
  predicate_builder: {
    family: 'predicate',
    next: 'list the builder in the policy under the level it reaches',
  },
  log_missing: {
    family: 'log',
    next: 'get the bundle with its log entry and inclusion proof, from where it was made',
  },
  log_promise: { family: 'log', next: 'do not trust this bundle: its log promise is not the log’s' },
  log_proof: { family: 'log', next: 'do not trust this bundle: the entry is not in the log it names' },
  log_checkpoint: { family: 'log', next: 'fetch the checkpoint again: this one is not signed by the log' },
  log_key: {
    family: 'log',
    next: 'name a trust root that has this log’s key, valid at that time: trust: {root: FILE}',
  },
  log_body: { family: 'log', next: 'do not trust this bundle: the log entry is about something else' },
  log_reference: {
    family: 'log',
    next: 'correct rekor_tile_ref, or get the proof it names: reenact evidence fetch',
  },
  log_witness: { family: 'log', next: 'get a checkpoint that enough witnesses have signed' },
  log_stale: { family: 'log', next: 'get a newer checkpoint than the one already recorded' },
  log_split_view: { family: 'log', next: 'report this log: it showed two histories; both are kept' },
  time_missing: {
    family: 'time',
    next: 'get a bundle with a timestamp, or lower timestamps.min in the policy',
  },
  time_invalid: { family: 'time', next: 'do not trust this timestamp: no trusted authority made it' },
  time_outside: {
    family: 'time',
    next: 'ask for evidence signed while key and certificate were valid; an old trust root can be renewed',
  },
  identity_mismatch: {
    family: 'identity',
    next: 'compare the signer with those the policy names: reenact policy explain P',
  },
  identity_issuer: {
    family: 'identity',
    next: 'do not trust it: another issuer can give that name to a stranger; else name the issuer in the policy',
  },
  identity_build: {
    family: 'identity',
    next: 'compare what the certificate says of the build with the policy: reenact policy explain P',
  },
  identity_unknown: {
    family: 'identity',
    next: 'add the signer to the policy’s authorities, if you trust it',
  },
  identity_threshold: { family: 'identity', next: 'get more signatures of the authorities the policy names' },
  identity_certificate: {
    family: 'identity',
    next: 'ask for a bundle with a certificate for signing code that names one signer',
  },
  trust_root_malformed: { family: 'trust', next: 'get the trust root again; docs/evidence.md says how' },
  trust_root_pin: {
    family: 'trust',
    next: 'compare sha256 under trust in the policy with the trust root you mean',
  },
  trust_key_malformed: { family: 'trust', next: 'give the policy a public key in PEM, DER or JWK form' },
  trust_certificate: {
    family: 'trust',
    next: 'name the trust root of the instance that issued the certificate: trust: {root: FILE}',
  },
  trust_key_revoked: { family: 'trust', next: 'sign again with a key that is not revoked' },
  internal: { family: 'internal', next: 'report it as a bug, with the evidence if you may' },
} as const;

export type RefusalCode = keyof typeof REFUSALS;

/** Thrown by a check that evidence did not pass; anything else thrown while verifying counts as `internal`. */
export class Refusal extends ReenactError<RefusalCode> {
  constructor(code: RefusalCode, message: string, cause?: unknown, next: string = REFUSALS[code].next) {
    super(code, message, { next, exit: EXIT.rejected, cause });
    this.name = 'Refusal';
  }
  get family(): Family {
    return REFUSALS[this.code].family;
  }
}
