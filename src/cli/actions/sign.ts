/** reenact sign and reenact attest: statements in DSSE envelopes, signed with a team's own key. */
import { basename, dirname, join } from 'node:path';
import { type Digest, digestOf, hexOf } from '../../base/digest.ts';
import { EXIT, Fault } from '../../base/fault.ts';
import { parseJson, showProblem } from '../../base/json.ts';
import { EVIDENCE_LIMITS, LIMITS } from '../../base/limits.ts';
import { becomesFile, writeOutput } from '../../base/output.ts';
import {
  SIGNING_ALGORITHMS,
  type SignedSubject,
  type SigningKey,
  signStatement,
} from '../../evidence/documents/sign.ts';
import { atPointer, SLSA_PROVENANCE_V1, TEST_RESULT } from '../../evidence/trust/predicate.ts';
import { readNamed } from '../../library/read-named.ts';
import { signingKey } from '../../library/signing-key.ts';
import type { Manifest } from '../../manifest/definition.ts';
import { loadManifests } from '../../manifest/load.ts';
import { manifestSubject } from '../../manifest/subject.ts';
import { testResultPredicate } from '../../verdict/attestation.ts';
import { parseRecord } from '../../verdict/parse.ts';
import type { ReplayRecord } from '../../verdict/record.ts';
import { type Arguments, choice } from '../arguments.ts';

async function keyOf(a: Arguments): Promise<SigningKey> {
  const path = a.text('key');
  if (path === undefined)
    throw new Fault('usage', 'name a private key: --key K (openssl genpkey -algorithm ed25519 makes one)');
  return signingKey(path, choice(a, 'alg', SIGNING_ALGORITHMS));
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

/** What people read of a subject; in the statement its name is the manifest's field. */
const SUBJECT_NAMES: Readonly<Record<string, string>> = {
  manifest: 'manifest subject',
  sandbox_image_sha256: 'sandbox image',
  symbol_bundle_sha256: 'symbol bundle',
};

export async function signCommand(a: Arguments): Promise<number> {
  const [file, ...more] = a.positionals;
  if (file === undefined || more.length > 0) throw new Fault('usage', 'name one file or manifest to sign');
  const key = await keyOf(a);
  const bytes = await readNamed(file, EVIDENCE_LIMITS.artifactBytes);
  const isManifest = bytes.length <= LIMITS.documentBytes && looksLikeManifest(bytes);
  const manifest = isManifest ? (await loadManifests([file]))[0]!.manifest : undefined;
  const subjects = manifest ? subjectsOf(manifest) : [{ name: basename(file), sha256: digestOf(bytes) }];
  const given = a.text('provenance');
  const predicate = given === undefined ? provenance(key, file, subjects) : await givenProvenance(given);
  const text = signStatement(key, subjects, SLSA_PROVENANCE_V1, predicate);
  const out = a.text('out') ?? join(dirname(file), `${basename(file, '.json')}.dsse.json`);
  await writeOutput(out, text);
  const said = becomesFile(out) ? process.stdout : process.stderr;
  said.write(
    `${out}: ${subjects.map(({ name, sha256 }) => `${SUBJECT_NAMES[name] ?? name} ${sha256}`).join(', ')}\n  signed with ${key.public.algorithm} key ${key.public.fingerprint}\n`,
  );
  if (manifest) {
    const reference = `dsse:${digestOf(text)}`;
    const { rekor_tile_ref: stale, ...rest } = manifest;
    await writeOutput(file, `${JSON.stringify({ ...rest, dsse_envelope: reference }, null, 2)}\n`);
    if (stale) said.write(`  rekor_tile_ref was taken out: it named the entry of another signature\n`);
    said.write(`  ${file} now names it: dsse_envelope ${reference}\n`);
  }
  return EXIT.ok;
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

export async function attestCommand(a: Arguments): Promise<number> {
  const [file, ...more] = a.positionals;
  if (file === undefined || more.length > 0) throw new Fault('usage', 'name one record.json to attest');
  const key = await keyOf(a);
  const bytes = await readNamed(file, LIMITS.documentBytes);
  const record = parseRecord(bytes, file);
  const sha256 = digestOf(bytes);
  const predicate = testResultPredicate(record, sha256);
  const text = signStatement(key, attested(record, sha256, file), TEST_RESULT, predicate);
  const out = a.text('out') ?? join(dirname(file), `${basename(file, '.json')}.dsse.json`);
  await writeOutput(out, text);
  (becomesFile(out) ? process.stdout : process.stderr).write(
    `${out}: ${predicate.result} for ${record.name}\n  signed with ${key.public.algorithm} key ${key.public.fingerprint}\n`,
  );
  return EXIT.ok;
}
