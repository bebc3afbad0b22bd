/** Evidence as a whole: every file checked, then whether together they fulfil all that the policy requires. */
import { digestOf } from '../base/digest.ts';
import { VERSION } from '../base/version.ts';
import type { Requirement } from '../policy/shape.ts';
import { asRefusal } from './checks.ts';
import type { Circumstances, SeparateProof } from './circumstances.ts';
import { blankEnvelope, type CheckedEvidence, checkEvidence } from './envelope.ts';
import { type Evidence, parseEvidenceFile } from './evidence-file.ts';
import {
  CHECKS,
  type EnvelopeRecord,
  type EvidenceRecord,
  type RequirementRecord,
  type Signer,
} from './record.ts';
import { REFUSALS, Refusal } from './refusal.ts';
import type { Trust } from './trust.ts';

/** A file of evidence, read once by the caller. */
export interface SourceFile {
  name: string;
  bytes: Buffer;
}

/** A file that could not even be read as evidence. */
function unreadable(file: SourceFile, { code, message }: Refusal): EnvelopeRecord {
  const [form, ...rest] = CHECKS;
  return {
    ...blankEnvelope(file.name, digestOf(file.bytes)),
    verdict: 'rejected',
    code,
    message,
    checks: [
      { name: form, status: 'failed', code, detail: message },
      ...rest.map((name) => ({ name, status: 'not_reached' as const, code: null, detail: '' })),
    ],
  };
}

/** One signer however often he signs: a key by its digest, an identity by its name, since its keys live for minutes. */
function distinct(signers: Signer[]): number {
  return new Set(
    signers.map(({ identity, issuer, key_fingerprint }) =>
      identity === null ? key_fingerprint : JSON.stringify([issuer, identity]),
    ),
  ).size;
}

function weigh(requirement: Requirement, checked: CheckedEvidence[]): RequirementRecord {
  const { threshold = {}, predicateType, subjects = [] } = requirement;
  const signers = checked
    .filter(({ fulfils }) => fulfils.includes(requirement))
    .flatMap(({ record }) => record.signers)
    .filter(({ authority }) => !threshold.of || threshold.of.includes(authority));
  const needed = threshold.min ?? 1;
  const count = distinct(signers);
  return {
    predicate_types: predicateType === undefined ? null : [predicateType].flat(),
    subjects,
    needed,
    signers: count,
    met: count >= needed,
  };
}

type Outcome = Pick<EvidenceRecord, 'verdict' | 'code' | 'family' | 'message'>;

function refused(code: keyof typeof REFUSALS, message: string): Outcome {
  const { family } = REFUSALS[code];
  return { verdict: family === 'internal' ? 'error' : 'rejected', code, family, message };
}

function conclude(
  envelopes: EnvelopeRecord[],
  requirements: RequirementRecord[],
  files: SourceFile[],
): Outcome {
  const bad = envelopes.find(({ verdict }) => verdict === 'rejected');
  const idle = files.find(
    ({ name }) =>
      envelopes.some(({ file }) => belongs(file, name)) &&
      !envelopes.some(({ file, verdict }) => belongs(file, name) && verdict === 'accepted'),
  );
  const unmet = requirements.find(({ met }) => !met);
  if (envelopes.length === 0) return refused('evidence_missing', 'no evidence was given');
  if ((unmet || idle) && bad)
    return refused(bad.code!, `${bad.file}: ${bad.message.replace(`${bad.file}: `, '')}`);
  if (unmet)
    return refused(
      'identity_threshold',
      `${unmet.needed} distinct signers are required${unmet.predicate_types ? ` for ${unmet.predicate_types.join(' or ')}` : ''}, and there are ${unmet.signers}`,
    );
  if (requirements.length === 0) return refused('identity_unknown', 'the policy names no authorities');
  return { verdict: 'verified', code: null, family: null, message: '' };
}

/** An item of a list is named after its file. */
function belongs(item: string, file: string): boolean {
  return item === file || item.startsWith(`${file} line `) || item.startsWith(`${file}[`);
}

/** The record of evidence that was refused before there was anything to check. */
export function refusedRecord(refusal: Refusal, trust: Trust, nowMs: number): EvidenceRecord {
  return recordOf(refused(refusal.code, refusal.message), [], [], trust, nowMs, true);
}

function recordOf(
  outcome: Outcome,
  requirements: RequirementRecord[],
  envelopes: EnvelopeRecord[],
  trust: Trust,
  nowMs: number,
  subjectsCompared: boolean,
): EvidenceRecord {
  const { policy, usedRoot } = trust;
  return {
    evidence_version: 1,
    ...outcome,
    subjects_compared: subjectsCompared,
    requirements,
    envelopes,
    policy: { name: policy.name, sha256: policy.sha256 },
    trust_root: usedRoot ? { name: usedRoot.name, sha256: usedRoot.sha256 } : null,
    verifier: `reenact ${VERSION}`,
    verified_at: new Date(nowMs).toISOString(),
  };
}

/** Verifies files of evidence against a policy. Never throws for what is in them: the record says what is wrong. */
export async function verifyEvidence(
  files: SourceFile[],
  given: Omit<Circumstances, 'proofs'> & { proofs?: SeparateProof[] },
): Promise<EvidenceRecord> {
  const c: Circumstances = { ...given, proofs: [...(given.proofs ?? [])] };
  const list: (Evidence | EnvelopeRecord)[] = [];
  for (const file of files) {
    try {
      const parsed = parseEvidenceFile(file.bytes, file.name);
      if (parsed.kind === 'proof') c.proofs.push({ ...parsed, used: false });
      else list.push(...parsed.list);
    } catch (error) {
      list.push(unreadable(file, asRefusal(error)));
    }
  }
  const checked: CheckedEvidence[] = [];
  for (const item of list)
    checked.push('content' in item ? await checkEvidence(item, c) : { record: item, fulfils: [] });
  const envelopes = checked.map(({ record }) => record);
  const idle = c.proofs.find(({ used }) => !used);
  const idleFile = files.find(({ name }) => name === idle?.name);
  if (idleFile && envelopes.every(({ verdict }) => verdict === 'accepted'))
    envelopes.push(
      unreadable(idleFile, new Refusal('log_body', 'proves none of the evidence that was given')),
    );
  const requirements = c.trust.policy.require.map((requirement) => weigh(requirement, checked));
  const outcome = conclude(envelopes, requirements, files);
  return recordOf(outcome, requirements, envelopes, c.trust, c.nowMs, c.wanted.kind !== 'any');
}
