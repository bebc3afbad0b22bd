/** What each field of a policy means, as its JSON Schema says it; docs/evidence.md and docs/join.md say more. */

export const DOCUMENT = {
  version: 'Version of this format',
  gates: 'What a result must reach to be accepted',
  trust: 'Certificate authorities, timestamp authorities and logs that evidence may rest on',
  authorities: 'Who may sign; left out: no evidence is checked',
  require: 'What must be proven, each of these; left out: one signature of any authority about the manifest',
};

export const GATES = {
  replay_ratio: 'Least share of the requested replays that must match, 0 to 1; left out: 0.95',
  forensic:
    'Whether every state must be identical to a given expectation, the image checked by content, nothing degraded and every claim borne out; left out: false',
  image_check:
    'engine: the engine’s word for the image counts; content: its layers are hashed; left out: engine',
  mechanisms:
    'all: nothing is replayed where a part of full determinism is missing; any: what the result holds for is narrowed; left out: all where forensic, else any',
  same_crash:
    'How crashes are compared: exact: by their whole signature; function: by the program’s functions, which rebuilding keeps; off: not at all; left out: exact',
  join_completeness:
    'Least share of a trace’s first frames that are joined to symbols, an artifact and its provenance, 0 to 1; left out: 0.95',
  chain_of_custody:
    'What each join must bear: logged: a signer, a proven time and a log entry; signed: a signer; left out: logged',
  known_frames:
    'Frames that must be the same where a stack was cut, so that its outermost frame is unknown; left out: 8',
};

export const TRUST = {
  root: 'A file of one or more Sigstore trust roots; left out, and no roots: the root of the public instance that comes with this release',
  sha256: 'Digest that the file in root must have',
  roots: 'Several trust roots in the place of root; evidence must rest on one of them wholly',
  logs: 'Transparency logs beside those of the trust root',
};

export const ROOT = {
  path: 'A file of one or more Sigstore trust roots',
  embedded: 'The root that comes with this release, by its name',
  sha256: 'Digest that the root’s file must have',
};

export const LOG = {
  key: 'The log’s key in C2SP’s form of verifier keys: name+hash+base64',
  notBefore: 'From when on its entries count, UTC; left out: without a beginning',
  notAfter: 'Until when its entries count, UTC; left out: without an end',
  witnesses: 'Who must have signed the log’s checkpoints beside it; left out: its own signature is enough',
};

export const WITNESSES = {
  keys: 'The witnesses’ verifier keys in C2SP’s form',
  min: 'How many of them must have signed a checkpoint',
};

export const AUTHORITY = {
  id: 'Name of this authority in thresholds and records',
  keyless:
    'An identity in a Fulcio certificate: one of issuer, issuerRegExp and noIssuer, one of subject and subjectRegExp; and what else the certificate must say of the build, by the names of its extensions',
  key: 'A public key of the team (PEM, DER or JWK) and when it is valid',
  transparency:
    'required: a proof that the entry is in a log; promise: the log’s signed promise is enough; none: no log; left out: required, and a key must say which',
  timestamps: 'Times that must be proven beside the signature; left out: none for a key, one for keyless',
};

export const TIMESTAMPS = { min: 'How many distinct authorities must have proven a time' };

export const IDENTITY = {
  issuer:
    'Who vouched for the subject, compared as a whole; * stands for part of a path segment, ** for anything',
  issuerRegExp: 'The same as a regular expression that must match the whole issuer',
  noIssuer:
    'Accepts only certificates that name no issuer: the certificate authority alone vouches for the subject',
  subject: 'Who signed, compared as a whole; * stands for part of a path segment, ** for anything',
  subjectRegExp: 'The same as a regular expression that must match the whole subject',
};

export const KEY = {
  path: 'File of the public key, relative to the policy’s folder',
  alg: 'Key and hash together, such as rsa-pss-sha256; left out: the usual ones of such a key; an RSA key needs it',
  notBefore: 'From when on its signatures count, UTC; left out: without a beginning',
  notAfter: 'Until when its signatures count, UTC; left out: without an end',
  revokedAt: 'When it was revoked, UTC: later signatures, and those without a proven time, do not count',
};

export const REQUIREMENT = {
  predicateType:
    'Type of the statement, or several of which one is enough; * stands for part of a path segment, ** for anything; left out: any',
  threshold: 'How many authorities must have signed; left out: one of any',
  subjects: 'What the statement must be about, each of these; left out: the manifest',
  match: 'JSON pointers into the predicate, and the values they must have',
  slsa: 'The least SLSA build level, by the builder; left out: builders do not matter',
};

export const THRESHOLD = {
  of: 'Ids of the authorities that count; left out: all',
  min: 'How many distinct ones must have signed; left out: 1',
};

export const SLSA = {
  level: 'Least build level, 1 to 4',
  builders: 'Builder identities and the level each reaches',
};
