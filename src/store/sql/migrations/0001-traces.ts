/** Traces, symbol bundles, artifacts and what was proven of them; the views bear the names that the published query uses. */

/*
 * Digests and ids are text, as people write them: these tables are small. What grows is frames: one row holds a
 * thread's, as arrays of numbers, some 17 bytes a frame, since they are written once and read together.
 * A location is an address of an image that is looked up in its symbols; late symbols touch locations, never frames.
 */
export const TRACES = `
CREATE TABLE schema_version (
  version int PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE image (
  image int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text NOT NULL UNIQUE,
  debug_id text
);
CREATE INDEX image_debug_id ON image (debug_id);

CREATE TABLE artifact (
  artifact int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sha256 text NOT NULL UNIQUE,
  kind text NOT NULL,
  name text NOT NULL,
  size_bytes bigint NOT NULL,
  text_sha256 text,
  build jsonb NOT NULL
);
CREATE TABLE image_artifact (
  image int NOT NULL REFERENCES image,
  artifact int NOT NULL REFERENCES artifact,
  PRIMARY KEY (image, artifact)
);
CREATE TABLE containment (
  content int NOT NULL REFERENCES artifact,
  container int NOT NULL REFERENCES artifact,
  path text NOT NULL,
  PRIMARY KEY (content, container, path)
);
CREATE INDEX containment_container ON containment (container);

CREATE TABLE evidence (
  evidence int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  subject_sha256 text NOT NULL,
  about text NOT NULL,
  envelope_sha256 text NOT NULL,
  files text[] NOT NULL,
  predicate_type text,
  policy_sha256 text NOT NULL,
  verified boolean NOT NULL,
  error text,
  signers jsonb NOT NULL,
  signed_at text,
  tile_ref text,
  build jsonb NOT NULL,
  record_sha256 text NOT NULL,
  UNIQUE (subject_sha256, about, envelope_sha256, policy_sha256)
);
CREATE TABLE artifact_evidence (
  artifact int NOT NULL REFERENCES artifact,
  evidence int NOT NULL REFERENCES evidence,
  depth int NOT NULL,
  PRIMARY KEY (artifact, evidence)
);
CREATE INDEX evidence_tile_ref ON evidence (tile_ref);
CREATE INDEX evidence_envelope ON evidence (envelope_sha256);

CREATE TABLE bundle (
  bundle int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sha256 text NOT NULL UNIQUE,
  file_sha256 text NOT NULL,
  image int NOT NULL REFERENCES image,
  format text NOT NULL,
  arch text NOT NULL,
  name text NOT NULL,
  features text[] NOT NULL,
  alt_id text,
  quality int NOT NULL,
  lacks text[] NOT NULL,
  text_sha256 text,
  build jsonb NOT NULL
);
CREATE INDEX bundle_image ON bundle (image);

CREATE TABLE function_blob (
  bundle int NOT NULL REFERENCES bundle,
  addr bigint NOT NULL,
  size_bytes bigint NOT NULL,
  name text NOT NULL,
  sha256 bytea,
  PRIMARY KEY (bundle, addr, name)
);

CREATE TABLE location (
  location int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  image int NOT NULL REFERENCES image,
  addr bigint NOT NULL,
  bundle int REFERENCES bundle,
  status text,
  degraded boolean NOT NULL DEFAULT false,
  engine text,
  chain jsonb,
  UNIQUE (image, addr)
);

CREATE TABLE trace (
  trace int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  trace_id text NOT NULL UNIQUE,
  format text NOT NULL,
  signal text,
  source_sha256 text NOT NULL,
  frame_count int NOT NULL
);
CREATE TABLE trace_image (
  trace int NOT NULL REFERENCES trace,
  image int NOT NULL REFERENCES image,
  path text NOT NULL,
  arch text,
  loaded_sha256 text,
  PRIMARY KEY (trace, image)
);
CREATE INDEX trace_image_image ON trace_image (image);
CREATE TABLE thread (
  trace int NOT NULL REFERENCES trace,
  n int NOT NULL,
  tid bigint NOT NULL,
  crashed boolean NOT NULL,
  first_index int NOT NULL,
  locations int[] NOT NULL,
  ips bigint[] NOT NULL,
  found smallint[] NOT NULL,
  PRIMARY KEY (trace, n)
);

CREATE TABLE replay (
  replay int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  trace int NOT NULL REFERENCES trace,
  replay_manifest jsonb NOT NULL,
  image_config_sha256 text,
  record_sha256 text,
  signal text,
  core_sha256 text,
  verdict text,
  diff jsonb,
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX replay_trace ON replay (trace);

CREATE VIEW provenance_evidence AS
SELECT subject_sha256, about, predicate_type, envelope_sha256 AS dsse_sha256, verified, signers, signed_at,
  tile_ref AS insertion_rekor_tile_ref, policy_sha256, error
FROM evidence;


CREATE VIEW artifacts AS
SELECT a.sha256, a.name AS artifact_id, a.kind, a.size_bytes,
  e.build->>'builder' AS builder,
  COALESCE(e.build->>'builder_commit', a.build->>'builder_commit') AS builder_commit,
  COALESCE(e.build->>'compiler', a.build->>'compiler', b.build->>'compiler') AS compiler,
  COALESCE(e.build->>'compiler_flags', a.build->>'compiler_flags', b.build->>'compiler_flags') AS compiler_flags,
  CASE WHEN e.build->>'compiler' IS NOT NULL THEN 'provenance'
    WHEN a.build->>'compiler' IS NOT NULL THEN a.build->>'from'
    ELSE b.build->>'from' END AS compiler_from,
  CASE WHEN e.build->>'compiler_flags' IS NOT NULL THEN 'provenance'
    WHEN a.build->>'compiler_flags' IS NOT NULL THEN a.build->>'from'
    WHEN b.build->>'compiler_flags' IS NOT NULL THEN b.build->>'from' END AS compiler_flags_from,
  'dsse:' || e.envelope_sha256 AS provenance_dsse,
  e.signers, e.signed_at, e.tile_ref AS insertion_rekor_tile_ref
FROM artifact a
LEFT JOIN LATERAL (
  SELECT evidence.* FROM artifact_evidence JOIN evidence USING (evidence)
  WHERE artifact_evidence.artifact = a.artifact AND evidence.verified
  ORDER BY artifact_evidence.depth, evidence.evidence DESC LIMIT 1
) e ON true
LEFT JOIN LATERAL (
  SELECT bundle.build FROM image_artifact JOIN bundle USING (image)
  WHERE image_artifact.artifact = a.artifact AND bundle.build->>'compiler' IS NOT NULL
  ORDER BY bundle.quality DESC, bundle.bundle LIMIT 1
) b ON true;

CREATE VIEW symbol_bundles AS
SELECT b.sha256, b.file_sha256, b.name, b.format, b.arch, i.id AS image_id, b.features, b.alt_id, b.quality, b.lacks,
  o.sha256 AS origin_artifact_sha256,
  'dsse:' || e.envelope_sha256 AS attestation_dsse,
  e.signers, e.signed_at, e.tile_ref AS insertion_rekor_tile_ref
FROM bundle b JOIN image i USING (image)
LEFT JOIN LATERAL (
  SELECT CASE WHEN count(*) = 1 THEN min(artifact.sha256) END AS sha256
  FROM image_artifact JOIN artifact USING (artifact) WHERE image_artifact.image = b.image
) o ON true
LEFT JOIN LATERAL (
  SELECT evidence.* FROM evidence
  WHERE evidence.subject_sha256 = b.file_sha256 AND evidence.about = 'symbols' AND evidence.verified
  ORDER BY evidence.evidence DESC LIMIT 1
) e ON true;

CREATE VIEW frames AS
SELECT t.trace_id, h.first_index + f.ord::int - 1 AS frame_index, h.n AS thread, h.tid, h.crashed,
  '0x' || to_hex(f.ip) AS ip,
  i.id AS image_id, p.path AS image_path, p.arch, p.loaded_sha256,
  '0x' || to_hex(CASE WHEN f.found >= 16 THEN l.addr WHEN l.addr = 9223372036854775807 THEN -9223372036854775808
    ELSE l.addr + 1 END) AS rel_addr,
  l.location, l.bundle, l.status, l.degraded, l.chain,
  l.chain->0->>'function' AS resolved_symbol,
  CASE WHEN l.status = 'resolved' AND f.found % 16 <> 3 AND (p.loaded_sha256 IS NULL OR EXISTS (
    SELECT FROM image_artifact ia JOIN artifact a USING (artifact)
    WHERE ia.image = b.image AND a.sha256 = p.loaded_sha256)) THEN b.sha256 END AS symbol_bundle_sha256,
  f.found >= 16 AS activation,
  (ARRAY['context', 'cfi', 'fp', 'scan', 'prewalked', 'unknown'])[f.found % 16 + 1] AS trust
FROM trace t JOIN thread h USING (trace)
CROSS JOIN LATERAL unnest(h.locations, h.ips, h.found) WITH ORDINALITY AS f (location, ip, found, ord)
LEFT JOIN location l ON l.location = f.location
LEFT JOIN image i ON i.image = l.image
LEFT JOIN trace_image p ON p.trace = t.trace AND p.image = l.image
LEFT JOIN bundle b ON b.bundle = l.bundle;

CREATE VIEW replays AS
SELECT t.trace_id, r.replay_manifest, r.image_config_sha256, r.record_sha256, r.signal, r.core_sha256, r.verdict, r.diff, r.at
FROM replay r JOIN trace t USING (trace);
`;
