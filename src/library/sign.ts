/** Statements in DSSE envelopes, signed with a team's own key. */

import { basename, dirname, join } from 'node:path';
import { type Digest, digestOf, hexOf } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { parseJson, showProblem } from '../base/json.ts';
import { EVIDENCE_LIMITS, LIMITS } from '../base/limits.ts';
import { present } from '../base/list.ts';
import { writeOutput } from '../base/output.ts';
import type { Algorithm, PublicKey } from '../evidence/common/keys.ts';
import { type SignedSubject, type SigningKey, signStatement } from '../evidence/documents/sign.ts';
import { atPointer, SLSA_PROVENANCE_V1, TEST_RESULT } from '../evidence/trust/predicate.ts';
import type { Manifest } from '../manifest/definition.ts';
import { loadManifests } from '../manifest/load.ts';
import { manifestSubject } from '../manifest/subject.ts';
import { testResultPredicate } from '../verdict/attestation.ts';
import { parseRecord } from '../verdict/parse.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import { readNamed } from './read-named.ts';
import { type KeyInput, signingKey } from './signing-key.ts';

/** With what a file is signed. */
export interface SignOptions {
  key: KeyInput;
  /** Of an RSA key: the algorithm. Default: what the key says. */
  algorithm?: Algorithm | undefined;
  /** The envelope. Default: beside the file, `NAME.dsse.json`. */
  out?: string | undefined;
  /** A file with a predicate of SLSA provenance v1. Default: that it was signed by hand. */
  provenance?: string | undefined;
  /** Whether another file at `out` is replaced, and a manifest that names an envelope names the new one. Default: no. */
  force?: boolean | undefined;
}

/** An envelope that was written. */
export interface SignedEnvelope {
  out: string;
  subjects: SignedSubject[];
  key: PublicKey;
  /** Of a manifest, which now names its envelope: how, and whether the entry of another signature was taken out. */
  manifest: { dsse_envelope: string; withoutLogEntry: boolean } | null;
}

/** An attestation that was written. */
export interface Attested {
  out: string;
  name: string;
  /** `PASSED`, `WARNED` or `FAILED`, as the test-result predicate has it. */
  result: string;
  key: PublicKey;
}

/** SLSA's provenance, as far as a person with a key can claim it: by whom, about what, and that it was by hand. */
function provenance(key: SigningKey, file: string, subjects: SignedSubject[]): unknown {
  return {
    buildDefinition: {
      buildType: 'urn:reenact:signed-by-hand:v1',
      externalParameters: { file: basename(file) },
      resolvedDependencies: subjects
        .slice(1)
        .map(({ name, sha256 }) => ({ name, digest: { sha256: hexOf(sha256) } })),
    },
    runDetails: { builder: { id: `urn:reenact:key:${key.public.fingerprint}` } },
  };
}

/** The predicate that --provenance names, as the builder wrote it: signed as it is, once it is what its type says. */
async function givenProvenance(path: string): Promise<unknown> {
  const parsed = parseJson(await readNamed(path, LIMITS.documentBytes), {
    sizeBytes: LIMITS.documentBytes,
    depth: LIMITS.documentDepth,
  });
  const problems = parsed.ok ? [] : parsed.problems.map(showProblem);
  if (parsed.ok)
    for (const pointer of ['/buildDefinition/buildType', '/runDetails/builder/id'])
      if (typeof atPointer(parsed.value, pointer) !== 'string') problems.push(`${pointer} is no text`);
  if (problems.length > 0 || !parsed.ok)
    throw new Fault('usage', `${path} is no predicate of SLSA provenance v1: ${problems.join('; ')}`);
  return parsed.value;
}

function subjectsOf(manifest: Manifest): SignedSubject[] {
  return [
    { name: 'manifest', sha256: manifestSubject(manifest) },
    { name: 'sandbox_image_sha256', sha256: manifest.sandbox_image_sha256 },
    ...(manifest.symbol_bundle_sha256
      ? [{ name: 'symbol_bundle_sha256', sha256: manifest.symbol_bundle_sha256 }]
      : []),
  ];
}

/** True for JSON that says it is a replay manifest: then all of it must be one. */
function looksLikeManifest(bytes: Buffer): boolean {
  const parsed = parseJson(bytes, { sizeBytes: LIMITS.documentBytes, depth: LIMITS.documentDepth });
  return (
    parsed.ok &&
    typeof parsed.value === 'object' &&
    parsed.value !== null &&
    'harness_version' in parsed.value
  );
}

/** A manifest names one envelope: another key's signature must not be lost in silence. */
function signedAlready(file: string, envelope: string): Fault {
  return new Fault(
    'output_exists',
    `${file} is signed already: it names the envelope ${envelope}; nothing was written`,
    undefined,
    '--force signs it anew: it then names the new envelope alone',
  );
}

/** Signs a file, or a manifest with all it claims; the manifest then names its envelope. */
export async function sign(file: string, o: SignOptions): Promise<SignedEnvelope> {
  const key = await signingKey(o.key, o.algorithm);
  const bytes = await readNamed(file, EVIDENCE_LIMITS.artifactBytes);
  const isManifest = bytes.length <= LIMITS.documentBytes && looksLikeManifest(bytes);
  const manifest = isManifest ? present((await loadManifests([file]))[0]).manifest : undefined;
  const subjects = manifest ? subjectsOf(manifest) : [{ name: basename(file), sha256: digestOf(bytes) }];
  const predicate =
    o.provenance === undefined ? provenance(key, file, subjects) : await givenProvenance(o.provenance);
  const text = signStatement(key, subjects, SLSA_PROVENANCE_V1, predicate);
  const out = o.out ?? join(dirname(file), `${basename(file, '.json')}.dsse.json`);
  const dsse_envelope = `dsse:${digestOf(text)}`;
  if (!o.force && manifest?.dsse_envelope !== undefined && manifest.dsse_envelope !== dsse_envelope)
    throw signedAlready(file, manifest.dsse_envelope);
  await writeOutput(out, text, o.force ? 'any' : 'nothing');
  if (!manifest) return { out, subjects, key: key.public, manifest: null };
  const { rekor_tile_ref: stale, ...rest } = manifest;
  await writeOutput(file, `${JSON.stringify({ ...rest, dsse_envelope }, null, 2)}\n`, 'any');
  return {
    out,
    subjects,
    key: key.public,
    manifest: { dsse_envelope, withoutLogEntry: stale !== undefined },
  };
}

/** What a verdict is about: the manifest as evidence names it, and the image. */
function attested(record: ReplayRecord, recordSha256: Digest, file: string): SignedSubject[] {
  return [
    { name: basename(file), sha256: recordSha256 },
    ...(record.manifest_subject_sha256 ? [{ name: 'manifest', sha256: record.manifest_subject_sha256 }] : []),
    ...(record.sandbox_image_sha256
      ? [{ name: 'sandbox_image_sha256', sha256: record.sandbox_image_sha256 }]
      : []),
  ];
}

/** Signs the verdict of a record, as an in-toto test result. */
export async function attest(file: string, o: Omit<SignOptions, 'provenance'>): Promise<Attested> {
  const key = await signingKey(o.key, o.algorithm);
  const bytes = await readNamed(file, LIMITS.documentBytes);
  const record = parseRecord(bytes, file);
  const sha256 = digestOf(bytes);
  const predicate = testResultPredicate(record, sha256);
  const text = signStatement(key, attested(record, sha256, file), TEST_RESULT, predicate);
  const out = o.out ?? join(dirname(file), `${basename(file, '.json')}.dsse.json`);
  await writeOutput(out, text, o.force ? 'any' : 'nothing');
  return { out, name: record.name, result: String(predicate.result), key: key.public };
}
