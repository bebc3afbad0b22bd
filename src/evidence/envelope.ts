/** One piece of evidence, from its signature to its signer, in the order docs/evidence.md gives. */
import { type Digest, digestOf } from '../base/digest.ts';
import type { Requirement } from '../policy/shape.ts';
import { asRefusal, Checks } from './checks.ts';
import type { Circumstances } from './circumstances.ts';
import type { Evidence } from './evidence-file.ts';
import type { Hashed } from './hashed.ts';
import { checkLogWindows, checkReference, type ProvenEntry, proveEntry, proveWith } from './log/prove.ts';
import { checkRequirement } from './predicate.ts';
import type { EnvelopeRecord, Signer } from './record.ts';
import { REFUSALS, Refusal } from './refusal.ts';
import { type Verified, verifySignatures } from './signature.ts';
import { checkPurpose, matchSigners } from './signer.ts';
import type { Vouched } from './sigstore.ts';
import { parseStatement, type Statement } from './statement.ts';
import { matchSubjects, resolveWanted, type SubjectResult } from './subject.ts';

/** An envelope's record, and the requirements of the policy it counts for. */
export interface CheckedEvidence {
  record: EnvelopeRecord;
  fulfils: Requirement[];
}

interface Fitting {
  requirement: Requirement;
  subjects: SubjectResult[];
}

/** The signed payload; null for a signature over a file. */
export function payloadOf(evidence: Evidence): { payload: Buffer; payloadType: string } | null {
  const { content } = evidence;
  if (content.kind === 'envelope') return content.envelope;
  return content.bundle.content.kind === 'envelope' ? content.bundle.content.envelope : null;
}

/** Keeps those that pass; when none does, the first complaint stands for all. */
function someOf<T, U>(items: T[], check: (item: T) => U): U[] {
  let refusal: unknown;
  const passed = items.flatMap((item) => {
    try {
      return [check(item)];
    } catch (error) {
      refusal ??= error;
      return [];
    }
  });
  if (passed.length === 0) throw refusal;
  return passed;
}

/** A signature over a file speaks about that file, by the digests that are asked for, and says nothing more. */
function statementOfFile(signed: Hashed, c: Circumstances): Statement {
  const asked = c.wanted.kind === 'listed' ? c.wanted.subjects.map(({ algorithm }) => algorithm) : [];
  const digest = [...new Set(['sha256', ...asked])].flatMap((algorithm) => {
    const hex = signed.digest(algorithm)?.toString('hex');
    return hex ? [[algorithm, hex] as const] : [];
  });
  return {
    type: '',
    predicateType: '(none)',
    subjects: [{ name: null, digest: Object.fromEntries(digest) }],
    predicate: null,
  };
}

function fitSubjects(statement: Statement, c: Circumstances): Fitting[] {
  return someOf(c.trust.policy.require, (requirement) => ({
    requirement,
    subjects: matchSubjects(statement, resolveWanted(c.wanted, requirement.subjects ?? [])),
  }));
}

/** Proves each signature's entry, from what the bundle carries and from proofs in files of their own. */
function proveAll(evidence: Evidence, verified: Verified[], c: Circumstances): ProvenEntry[][] {
  const own = evidence.content.kind === 'bundle' ? evidence.content.bundle.entries : [];
  let misfit: Refusal | undefined;
  const perSignature = verified.map(({ thing, key }) => {
    const entries = own.map((entry) => proveEntry(entry, thing, c.trust.logs));
    for (const separate of c.proofs) {
      try {
        entries.push(proveWith(separate.proof, thing, key.algorithm, c.trust.logs));
        separate.used = true;
      } catch (error) {
        const { code, message, next } = asRefusal(error);
        misfit = new Refusal(code, `${separate.name}: ${message}`, error, next);
      }
    }
    return entries;
  });
  // With several pieces of evidence a proof may belong to another one; with none left it does not fit. Where an
  // entry is named, every proof that was found is one of it: one that does not fit shows another history.
  if (misfit && c.reference) throw misfit;
  if (misfit && !perSignature.flat().some(({ kind }) => kind === 'proof')) throw misfit;
  if (c.reference) checkReference(perSignature.flat(), c.reference);
  return perSignature;
}

async function vouchFor(evidence: Evidence, verified: Verified[], c: Circumstances): Promise<Vouched> {
  const { content } = evidence;
  if (content.kind === 'envelope') return { times: [], identity: null };
  const { bundle } = content;
  if (bundle.material.kind === 'key' && bundle.entries.length + bundle.timestamps.length === 0)
    return { times: [], identity: null };
  const library = await c.trust.library();
  const [{ thing, key }] = verified as [Verified];
  return library.vouch(bundle, thing, key.key);
}

async function checkTimes(
  evidence: Evidence,
  verified: Verified[],
  entries: ProvenEntry[],
  c: Circumstances,
): Promise<Vouched> {
  const vouched = await vouchFor(evidence, verified, c);
  const times = vouched.times.map(({ timeMs }) => timeMs);
  checkLogWindows(entries, times.length > 0 ? times : [c.nowMs]);
  return vouched;
}

function signersOf(
  verified: Verified[],
  vouched: Vouched,
  proven: ProvenEntry[][],
  c: Circumstances,
): Signer[] {
  for (const { thing } of verified) if (thing.certificate) checkPurpose(thing.certificate);
  return someOf(
    verified.map((one, index) => ({ one, index })),
    ({ one, index }) => matchSigners(one, vouched, proven[index]!, c),
  ).flat();
}

async function checkAll(
  evidence: Evidence,
  c: Circumstances,
  checks: Checks,
  record: EnvelopeRecord,
): Promise<Requirement[]> {
  const verified = await checks.run(
    'signature',
    () => verifySignatures(evidence, c),
    (found) => found.map(({ key }) => `${key.algorithm} key ${key.fingerprint}`).join(', '),
  );
  const envelope = payloadOf(evidence);
  let statement: Statement;
  if (envelope) {
    record.payload_sha256 = digestOf(envelope.payload);
    record.payload_type = envelope.payloadType;
    statement = await checks.run(
      'statement',
      () => parseStatement(envelope),
      ({ type }) => type,
    );
    record.predicate_type = statement.predicateType;
  } else {
    checks.skip('statement', 'the signature is over a file');
    statement = statementOfFile(verified[0]!.thing.signed, c);
  }
  const fitting = await checks.run(
    'subject',
    () => fitSubjects(statement, c),
    ([first]) =>
      first!.subjects
        .map(({ field, algorithm, expected }) => `${field} ${algorithm}:${expected}`)
        .join(', ') || null,
  );
  const fulfilled = await checks.run(
    'predicate',
    () =>
      someOf(fitting, (one) => {
        checkRequirement(statement, one.requirement);
        return one;
      }),
    () => statement.predicateType,
  );
  const proven = await checks.run(
    'log',
    () => proveAll(evidence, verified, c),
    (found) =>
      found
        .flat()
        .map(({ fact }) => fact.tile_ref ?? `promise of ${fact.origin}`)
        .join(', ') || null,
  );
  const vouched = await checks.run(
    'time',
    () => checkTimes(evidence, verified, proven.flat(), c),
    ({ times }) =>
      times.map(({ source, timeMs }) => `${new Date(timeMs).toISOString()} by ${source}`).join(', ') || null,
  );
  record.log = proven.flat().map(({ fact }) => fact);
  record.timestamps = vouched.times.map(({ source, timeMs }) => ({
    source,
    time: new Date(timeMs).toISOString(),
  }));
  record.signers = await checks.run(
    'identity',
    () => signersOf(verified, vouched, proven, c),
    (signers) => signers.map(({ authority }) => authority).join(', '),
  );
  // One subject may answer to several requirements.
  record.subjects = [
    ...new Map(
      fulfilled.flatMap(({ subjects }) => subjects).map((one) => [`${one.field} ${one.expected}`, one]),
    ).values(),
  ];
  return fulfilled.map(({ requirement }) => requirement);
}

/** The record of a piece of evidence about which nothing is known yet: refused, until every check has passed. */
export function blankEnvelope(file: string, sha256: Digest): EnvelopeRecord {
  return {
    file,
    sha256,
    verdict: 'rejected',
    code: 'internal',
    message: 'it was not checked',
    next: REFUSALS.internal.next,
    checks: [],
    payload_sha256: null,
    payload_type: null,
    predicate_type: null,
    subjects: [],
    signers: [],
    timestamps: [],
    log: [],
  };
}

/** Checks one piece of evidence; what was wrong with it is in its record, never thrown. */
export async function checkEvidence(evidence: Evidence, c: Circumstances): Promise<CheckedEvidence> {
  const checks = new Checks();
  const record = blankEnvelope(evidence.name, evidence.sha256);
  let fulfils: Requirement[];
  try {
    await checks.run(
      'form',
      () => evidence.content.kind,
      (kind) => kind,
    );
    fulfils = await checkAll(evidence, c, checks, record);
  } catch (error) {
    const { code, message, next } = asRefusal(error);
    // What was learnt before it failed was said by somebody who is not known.
    const nothing = blankEnvelope(evidence.name, evidence.sha256);
    return { record: { ...nothing, code, message, next, checks: checks.results() }, fulfils: [] };
  }
  return {
    record: { ...record, verdict: 'accepted', code: null, message: '', next: null, checks: checks.results() },
    fulfils,
  };
}
