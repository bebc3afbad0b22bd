/** One piece of evidence, from its signature to its signer, in the order docs/evidence.md gives. */
import { type Digest, digestOf } from '../../base/digest.ts';
import { itemAt, present } from '../../base/list.ts';
import type { Requirement } from '../../policy/shape.ts';
import type { Hashed } from '../common/hashed.ts';
import { REFUSALS } from '../common/refusal.ts';
import type { EnvelopeRecord, Signer } from '../documents/record.ts';
import { parseStatement, type Statement } from '../documents/statement.ts';
import { matchSubjects, resolveWanted, type SubjectResult } from '../documents/subject.ts';
import { checkRequirement } from '../trust/predicate.ts';
import type { Vouched } from '../trust/sigstore.ts';
import type { TrustedRoot } from '../trust/trusted-root.ts';
import { asRefusal, Checks, someOf } from './checks.ts';
import type { SeparateProof, VerificationContext } from './context.ts';
import type { Evidence } from './evidence-file.ts';
import { groundsOf, vouchedUnderOne } from './grounds.ts';
import type { ProvenEntry } from './log-entry.ts';
import { type Verified, verifySignatures } from './signature.ts';
import { checkPurpose, matchSigners } from './signer.ts';

/** An envelope's record, and the requirements of the policy it counts for. */
export interface CheckedEvidence {
  record: EnvelopeRecord;
  fulfils: Requirement[];
  /** The one root under which it was proven; null where none was needed. */
  root: TrustedRoot | null;
  /** The proofs in files of their own that it rests on. */
  used: SeparateProof[];
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

/** A signature over a file is about that file, by the digests that are asked for, and states nothing more. */
function statementOfFile(signed: Hashed, c: VerificationContext): Statement {
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

function fitSubjects(statement: Statement, c: VerificationContext): Fitting[] {
  return someOf(c.trust.policy.require, (requirement) => ({
    requirement,
    subjects: matchSubjects(statement, resolveWanted(c.wanted, requirement.subjects ?? [])),
  }));
}

function signersOf(
  verified: Verified[],
  vouched: Vouched,
  proven: ProvenEntry[][],
  c: VerificationContext,
): Signer[] {
  for (const { thing } of verified) if (thing.certificate) checkPurpose(thing.certificate);
  return someOf(
    verified.map((one, index) => ({ one, index })),
    ({ one, index }) => matchSigners(one, vouched, itemAt(proven, index), c),
  ).flat();
}

/** The statement that is signed: the payload of an envelope, or, where a file itself is signed, one about that file. */
async function checkStatement(
  evidence: Evidence,
  verified: Verified[],
  c: VerificationContext,
  checks: Checks,
  record: EnvelopeRecord,
): Promise<Statement> {
  const envelope = payloadOf(evidence);
  if (!envelope) {
    checks.skip('statement', 'the signature is over a file');
    return statementOfFile(itemAt(verified, 0).thing.signed, c);
  }
  record.payload_sha256 = digestOf(envelope.payload);
  record.payload_type = envelope.payloadType;
  const statement = await checks.run(
    'statement',
    () => parseStatement(envelope),
    ({ type }) => type,
  );
  record.predicate_type = statement.predicateType;
  return statement;
}

async function checkAll(
  evidence: Evidence,
  c: VerificationContext,
  checks: Checks,
  record: EnvelopeRecord,
): Promise<Pick<CheckedEvidence, 'fulfils' | 'root' | 'used'>> {
  const verified = await checks.run(
    'signature',
    () => verifySignatures(evidence, c),
    (found) => found.map(({ key }) => `${key.algorithm} key ${key.fingerprint}`).join(', '),
  );
  const statement = await checkStatement(evidence, verified, c, checks, record);
  const fitting = await checks.run(
    'subject',
    () => fitSubjects(statement, c),
    ([first]) =>
      present(first)
        .subjects.map(({ field, algorithm, expected }) => `${field} ${algorithm}:${expected}`)
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
  const grounds = await checks.run(
    'log',
    () => groundsOf(evidence, verified, c),
    ([first]) =>
      present(first)
        .proven.flat()
        .map(({ fact }) => fact.tile_ref ?? `promise of ${fact.origin}`)
        .join(', ') || null,
  );
  const { anchor, proven, vouched, used } = await checks.run(
    'time',
    () => vouchedUnderOne(evidence, verified, grounds, c),
    ({ vouched: { times, strangers } }) =>
      [
        ...times.map(({ source, timeMs }) => `${new Date(timeMs).toISOString()} by ${source}`),
        ...strangers.map((authority) => `not counted: a timestamp by ${authority}, who is not in the root`),
      ].join(', ') || null,
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
  // One subject may fulfil several requirements.
  record.subjects = [
    ...new Map(
      fulfilled.flatMap(({ subjects }) => subjects).map((one) => [`${one.field} ${one.expected}`, one]),
    ).values(),
  ];
  return { fulfils: fulfilled.map(({ requirement }) => requirement), root: anchor?.root ?? null, used };
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
export async function checkEvidence(evidence: Evidence, c: VerificationContext): Promise<CheckedEvidence> {
  const checks = new Checks();
  const record = blankEnvelope(evidence.name, evidence.sha256);
  let found: Pick<CheckedEvidence, 'fulfils' | 'root' | 'used'>;
  try {
    await checks.run(
      'form',
      () => evidence.content.kind,
      (kind) => kind,
    );
    found = await checkAll(evidence, c, checks, record);
  } catch (error) {
    const { code, message, next } = asRefusal(error);
    // Facts that were read before the failure come from an unknown signer.
    const nothing = blankEnvelope(evidence.name, evidence.sha256);
    return {
      record: { ...nothing, code, message, next, checks: checks.results() },
      fulfils: [],
      root: null,
      used: [],
    };
  }
  return {
    record: { ...record, verdict: 'accepted', code: null, message: '', next: null, checks: checks.results() },
    ...found,
  };
}
