/** The joined frames of one trace as a document of their own: bundles hold it, and their readers check it again. */
import type { Digest } from '../base/digest.ts';
import {
  array,
  boolean,
  closed,
  described,
  digestText,
  integer,
  nullable,
  number,
  oneOf,
  type Shape,
  string,
} from '../base/shape.ts';
import { keysOf } from '../base/table.ts';
import { REFUSALS } from '../evidence/common/refusal.ts';
import type { SourcePlace } from '../objects/common/source-place.ts';
import type { FrameFacts, WalkFacts } from '../trace/model/frame-facts.ts';
import { endedShape } from '../trace/model/schema.ts';
import { FRAME_TRUSTS, TRACE_LIMITS } from '../trace/model/trace.ts';
import type { GateResult } from '../verdict/record.ts';
import { REPRODUCTIONS, type ReproductionVerdict } from './compare.ts';
import * as words from './descriptions.ts';
import {
  FRAME_STATUSES,
  GAP_CODES,
  type GapCode,
  gapOf,
  type JoinEvidence,
  type JoinedFrame,
} from './gap.ts';

/** What is said about a build and by which source; null where nothing is said. */
export interface Build {
  builder: string | null;
  builder_commit: string | null;
  compiler: string | null;
  compiler_flags: string | null;
}

/** What was verified about a file or what it lies in, under the document's policy. */
export interface JoinProof {
  subject_sha256: Digest;
  /** For evidence about a container: the files that contain one another, each with the path inside; the last is the subject. */
  within: { sha256: Digest; path: string }[];
  /** The evidence itself. */
  files: Digest[];
  /** The envelope that counts. */
  dsse: Digest;
  verified: boolean;
  code: string | null;
  signers: string[];
  signed_at: string | null;
  tile_ref: string | null;
  /** What a signed provenance says. */
  build: Build;
}

/** A symbol file. */
export interface JoinSymbols {
  sha256: Digest;
  /** The file that the evidence is about, if these symbols are a slice of another file. */
  file_sha256: Digest;
  name: string;
  format: string;
  lacks: string[];
  /** What compiler and linker wrote into it. */
  says: Build;
  evidence: JoinProof[];
}

/** A file that was shipped. */
export interface JoinShipped {
  sha256: Digest;
  name: string;
  kind: string;
  says: Build;
  evidence: JoinProof[];
}

export interface JoinFrame extends FrameFacts {
  claimed: string | null;
  places: SourcePlace[];
  degraded: boolean;
  status: string | null;
  symbols: Digest | null;
  artifact: Digest | null;
  /** Shipped files with the image's id that the store knew. */
  candidates: number;
  gap: GapCode | null;
}

/** The result of a replay of the trace. */
export interface JoinReproduction {
  verdict: ReproductionVerdict;
  at: number | null;
  /** How many frames were found the same. */
  known: number;
  reason: string;
}

export interface JoinDocument extends WalkFacts {
  /** To be raised with every change that gives the same trace and evidence other gaps or gates. */
  join_version: 2;
  trace_id: Digest;
  format: string;
  signal: string | null;
  source_sha256: Digest;
  policy: { name: string; sha256: Digest };
  /** Of the record beside it. */
  reproduction: JoinReproduction;
  /** Of replays before it, the first one first. */
  earlier: (JoinReproduction & { record_sha256: Digest })[];
  symbols: JoinSymbols[];
  artifacts: JoinShipped[];
  frames: JoinFrame[];
  gates: GateResult[];
}

/** The most pieces of evidence about one thing; an honest sender has no need for more. */
export const MOST_EVIDENCE = 64;
const MOST_FILES = 1024;
/** Symbol files or artifacts of one trace. */
const MOST_THINGS = 4096;
/** Replays of one trace whose records are kept. */
export const MOST_EARLIER = 20;

const digest = digestText();
const text = string();
const maybe = nullable(text);
const count = integer(0, Number.MAX_SAFE_INTEGER);

const build = closed(
  described(words.BUILD, { builder: maybe, builder_commit: maybe, compiler: maybe, compiler_flags: maybe }),
);

const proof = closed(
  described(words.PROOF, {
    subject_sha256: digest,
    within: array(closed(described(words.WITHIN, { sha256: digest, path: text })), { max: 32 }),
    files: array(digest, { min: 1, max: MOST_FILES }),
    dsse: digest,
    verified: boolean(),
    code: nullable(oneOf<string>(...keysOf(REFUSALS))),
    signers: array(text, { max: 64 }),
    signed_at: maybe,
    tile_ref: maybe,
    build,
  }),
);

const evidence = array(proof, { max: MOST_EVIDENCE });

const symbols = closed(
  described(words.SYMBOLS, {
    sha256: digest,
    file_sha256: digest,
    name: text,
    format: text,
    lacks: array(text, { max: 64 }),
    says: build,
    evidence,
  }),
);

const shipped = closed(
  described(words.SHIPPED, { sha256: digest, name: text, kind: text, says: build, evidence }),
);

const place = closed(
  described(words.PLACE, { function: maybe, file: maybe, line: nullable(count), column: nullable(count) }),
);

const frame = closed(
  described(words.FRAME, {
    index: count,
    thread: count,
    ip: maybe,
    image_id: maybe,
    image_path: maybe,
    arch: maybe,
    loaded_sha256: nullable(digest),
    rel_addr: maybe,
    activation: boolean(),
    trust: oneOf(...FRAME_TRUSTS),
    claimed: maybe,
    places: array(place, { max: 256 }),
    degraded: boolean(),
    status: nullable(oneOf<string>(...FRAME_STATUSES)),
    symbols: nullable(digest),
    artifact: nullable(digest),
    candidates: count,
    gap: nullable(oneOf(...GAP_CODES)),
  }),
);

const reproduction = described(words.REPRODUCTION, {
  verdict: oneOf(...REPRODUCTIONS),
  at: nullable(count),
  known: count,
  reason: text,
});

const gate = oneOf<string>('join_completeness', 'chain_of_custody');
const scalar: Shape<GateResult['threshold']> = {
  check: (value, path, problems) =>
    (typeof value === 'number' ? number(0, 1) : text).check(value, path, problems),
  schema: () => ({ anyOf: [{ type: 'number' }, { type: 'string' }] }),
};

export const joinShape: Shape<JoinDocument> = closed(
  described(words.DOCUMENT, {
    join_version: oneOf(2),
    trace_id: digest,
    format: text,
    signal: maybe,
    crashed: boolean(),
    ended: nullable(endedShape),
    source_sha256: digest,
    policy: closed(described(words.NAMED, { name: text, sha256: digest })),
    reproduction: closed(reproduction),
    earlier: array(closed({ ...reproduction, ...described(words.EARLIER, { record_sha256: digest }) }), {
      max: MOST_EARLIER,
    }),
    symbols: array(symbols, { max: MOST_THINGS }),
    artifacts: array(shipped, { max: MOST_THINGS }),
    frames: array(frame, { min: 1, max: TRACE_LIMITS.frames }),
    gates: array(
      closed(described(words.GATE, { name: gate, threshold: scalar, value: scalar, pass: boolean() })),
      { min: 2, max: 2 },
    ),
  }),
);

/** The JSON Schema of joined frames. */
export function joinSchema(): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Reenact joined frames',
    ...joinShape.schema(),
  };
}

/** The evidence that counts: the first that was accepted, else the first. */
export function countingProof(proofs: JoinProof[]): JoinProof | null {
  return proofs.find(({ verified }) => verified) ?? proofs[0] ?? null;
}

function evidenceOf(proofs: JoinProof[], n: number): JoinEvidence | null {
  const found = countingProof(proofs);
  if (!found) return null;
  const { dsse, verified, code, signers, signed_at, tile_ref } = found;
  return { evidence: n, dsse: `dsse:${dsse}`, verified, error: code, signers, signed_at, tile_ref };
}

/** The frames with all that they are joined to, and their gaps decided anew; a reference to something that is missing joins nothing. */
export function joinedFrames({
  symbols: files,
  artifacts,
  frames,
}: Pick<JoinDocument, 'symbols' | 'artifacts'> & { frames: Omit<JoinFrame, 'gap'>[] }): JoinedFrame[] {
  const bundles = new Map(
    files.map(({ sha256, name, format, lacks, evidence: proofs }, n) => [
      sha256,
      { sha256, name, format, quality: 0, lacks, evidence: evidenceOf(proofs, n) },
    ]),
  );
  const shippedFiles = new Map(
    artifacts.map(({ sha256, name, kind, evidence: proofs }, n) => {
      const facts = countingProof(proofs)?.build ?? NOTHING_SAID;
      const found = { sha256, artifact_id: name, kind, ...facts, compiler_from: null };
      return [sha256, { ...found, evidence: evidenceOf(proofs, files.length + n) }];
    }),
  );
  return frames.map(({ symbols: bundle, artifact, claimed: _, ...rest }) => {
    const joined = {
      ...rest,
      bundle: bundle === null ? null : (bundles.get(bundle) ?? null),
      artifact: artifact === null ? null : (shippedFiles.get(artifact) ?? null),
    };
    return { ...joined, gap: gapOf(joined) };
  });
}

export const NOTHING_SAID: Build = {
  builder: null,
  builder_commit: null,
  compiler: null,
  compiler_flags: null,
};
