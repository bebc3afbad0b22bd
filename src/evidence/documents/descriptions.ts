/** What each field of an evidence record means, as its JSON Schema says it. */

export const RECORD = {
  evidence_version: 'Version of this format',
  verdict:
    'verified: every requirement is met; rejected: one is not; error: something failed that has nothing to do with the evidence, which is not accepted then either',
  code: 'Why it was not verified (docs/errors.md); null where it was',
  family: 'The kind of reason that the code belongs to; null where there is no code',
  message: 'Why it does not count, in words; empty where it does',
  subjects_compared:
    'Whether it was checked what the evidence is about; false: nothing to compare was asked for, and only signatures were checked',
  requirements: 'The policy’s requirements, in its order, and how far each is met',
  envelopes: 'Each piece of evidence that was looked at',
  policy: 'The policy that was asked',
  trust_root: 'The trust root that vouched for the first piece of evidence; null: none vouched for any',
  verifier: 'The release of Reenact that verified it',
  verified_at: 'When it was verified, ISO 8601, UTC',
  next: 'What to do about it; null where nothing is to be done; left out by earlier releases',
};

export const NAMED = { name: 'Its name or path', sha256: 'Digest of its content' };

export const REQUIREMENT = {
  predicate_types: 'Types of statement of which one is enough; null: any',
  subjects: 'What the statement must be about',
  needed: 'How many distinct signers are needed',
  signers: 'How many distinct keys or identities fulfil it',
  met: 'Whether they are enough',
};

export const ENVELOPE = {
  file: 'The file it came from, and which item of it where it holds several',
  sha256: 'Digest of the exact bytes of its file',
  verdict: 'Whether it counts',
  code: 'Why it was rejected (docs/errors.md); null where it was accepted',
  message: 'Why it does not count, in words; empty where it does',
  checks: 'Each check, in the order in which they are made',
  payload_sha256: 'Digest of what was signed; null where no signature was verified',
  payload_type: 'Type of what was signed, as signed; null where no signature was verified, or it has none',
  predicate_type: 'Type of the statement; null where none was verified',
  subjects: 'What it was compared with',
  signers: 'Whose signatures were verified and whom the policy names',
  timestamps: 'Proven times of the signature',
  log: 'Proven entries in transparency logs',
  next: 'What to do about it; null where nothing is to be done; left out by earlier releases',
};

export const CHECK = {
  name: 'What was checked (docs/evidence.md)',
  status:
    'passed, failed, not_applicable: the policy or the form has no need of it, or not_reached: an earlier one failed',
  code: 'Why it failed; null where it did not',
  detail: 'What was found, in words',
};

export const SUBJECT = {
  field: 'The place that asks for it: a manifest’s field, "artifact" or "subject"',
  algorithm: 'Hash algorithm, such as sha256',
  expected: 'The digest that was looked for, hexadecimal',
  matched: 'Whether the statement is about it',
};

export const SIGNER = {
  authority: 'Id of the policy’s authority',
  identity: 'The subject in the certificate; null for a key',
  issuer: 'Who vouched for the subject, as the certificate says; null for a key, or where it names none',
  algorithm: 'Key and hash of the signature',
  key_fingerprint: 'SHA-256 of the key’s SubjectPublicKeyInfo',
  certificate: 'What the certificate says of the build; null for a key; left out by earlier releases',
  open: 'Fields of the certificate that say whose source was built, which neither the identity nor the policy decides; left out: none',
};

export const TIMESTAMP = { source: 'Who vouches for the time', time: 'The time, ISO 8601, UTC' };

export const LOG = {
  origin: 'Name of the log',
  key_id: 'Id of the log’s key, hexadecimal; null for a promise alone',
  index: 'Number of the entry in the log, counted from 0',
  checkpoint_size: 'Entries in the tree that the proof leads to; null for a promise alone',
  root: 'Root hash of that tree, hexadecimal; null for a promise alone',
  leaf: 'Hash of the entry, hexadecimal',
  tile_ref: 'Reference of the entry, rekor:…; null for a promise alone',
  witnesses: 'Witnesses whose signatures on the checkpoint were verified',
};
