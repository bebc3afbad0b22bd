/** Evidence as a whole: every file is checked, and then whether together they fulfil all that the policy requires. */
import { digestOf } from '../../base/digest.ts';
import { EVIDENCE_LIMITS } from '../../base/limits.ts';
import { present } from '../../base/list.ts';
import { VERSION } from '../../base/version.ts';
import type { Requirement } from '../../policy/shape.ts';
import { REFUSALS, Refusal, type RefusalCode } from '../common/refusal.ts';
import {
  CHECKS,
  type EnvelopeRecord,
  type EvidenceRecord,
  type RequirementRecord,
  type Signer,
} from '../documents/record.ts';
import { formatTlogProof } from '../log/tlog-proof.ts';
import type { Trust } from '../trust/trust.ts';
import type { TrustedRoot } from '../trust/trusted-root.ts';
import { asRefusal } from './checks.ts';
import type { SeparateProof, VerificationContext } from './context.ts';
import { blankEnvelope, type CheckedEvidence, checkEvidence } from './envelope.ts';
import { type Evidence, parseEvidenceFile, type Unread } from './evidence-file.ts';

/** A file of evidence, read once by the caller. */
export interface SourceFile {
  name: string;
  bytes: Buffer;
}

/** Files that could not even be read as evidence. */
function unreadable({ name, sha256, refusal }: Unread): EnvelopeRecord {
  const { code, message, next } = refusal;
  const [form, ...rest] = CHECKS;
  return {
    ...blankEnvelope(name, sha256),
    code,
    message,
    next,
    checks: [
      { name: form, status: 'failed', code, detail: message },
      ...rest.map((name) => ({ name, status: 'not_reached' as const, code: null, detail: '' })),
    ],
  };
}

/** How many signatures there are to try. */
function signaturesOf(item: Evidence | Unread): number {
  if (!('content' in item)) return 0;
  const { content } = item;
  return content.kind === 'envelope' ? content.envelope.signatures.length : 1;
}

/** How many checks of signatures verifying these files can take; unreadable ones take none. */
export function checksIn(files: SourceFile[], { policy }: Trust): number {
  const count = ({ bytes, name }: SourceFile): number => {
    try {
      const parsed = parseEvidenceFile(bytes, name);
      return parsed.kind === 'proof' ? 0 : parsed.list.reduce((sum, item) => sum + signaturesOf(item), 0);
    } catch (error) {
      asRefusal(error);
      return 0;
    }
  };
  return files.reduce((sum, file) => sum + count(file), 0) * policy.authorities.length;
}

/** The same signer counts once, however often it signs: a key by its digest, an identity by its name, since its keys live for minutes. */
function nameOf({ identity, issuer, key_fingerprint }: Signer): string {
  return identity === null ? key_fingerprint : JSON.stringify([issuer, identity]);
}

/** How many authorities have a signer of their own: two signers for one authority, or one for two, count once. */
function distinct(signers: Signer[]): number {
  const signersOf = new Map<string, string[]>();
  for (const signer of signers)
    signersOf.set(signer.authority, [...(signersOf.get(signer.authority) ?? []), nameOf(signer)]);
  const holder = new Map<string, string>();
  const place = (authority: string, tried: Set<string>): boolean =>
    present(signersOf.get(authority)).some((signer) => {
      if (tried.has(signer)) return false;
      tried.add(signer);
      const other = holder.get(signer);
      if (other !== undefined && !place(other, tried)) return false;
      holder.set(signer, authority);
      return true;
    });
  return [...signersOf.keys()].filter((authority) => place(authority, new Set())).length;
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

type Outcome = Pick<EvidenceRecord, 'verdict' | 'code' | 'family' | 'message' | 'next'>;

function refused(code: RefusalCode, message: string, next: string): Outcome {
  const { family } = REFUSALS[code];
  return { verdict: family === 'internal' ? 'error' : 'rejected', code, family, message, next };
}

/** How much the reason for refusing one item says about the whole: a list may hold items about other things. */
function tellingness({ checks, code }: EnvelopeRecord): number {
  if (code === 'subject_missing') return 0;
  return 1 + checks.findIndex(({ status }) => status === 'failed');
}

/** The refusal that is reported for all: that of the item which came nearest to being accepted, the first among equals. */
function mostTelling(envelopes: EnvelopeRecord[]): EnvelopeRecord | undefined {
  const bad = envelopes.filter(({ verdict }) => verdict === 'rejected');
  const most = Math.max(...bad.map(tellingness));
  return bad.find((one) => tellingness(one) === most);
}

function refusedAs({ file, code, message, next }: EnvelopeRecord): Outcome {
  const known = code ?? 'internal';
  return refused(known, `${file}: ${message.replace(`${file}: `, '')}`, next ?? REFUSALS[known].next);
}

/** Files and lists count as one collection: items that meet the requirements count, and other items do no harm. */
function conclude(envelopes: EnvelopeRecord[], requirements: RequirementRecord[]): Outcome {
  const unmet = requirements.find(({ met }) => !met);
  const bad = mostTelling(envelopes);
  const plain = (code: RefusalCode, message: string): Outcome => refused(code, message, REFUSALS[code].next);
  if (envelopes.length === 0) return plain('evidence_missing', 'no evidence was given');
  if (unmet && bad) return refusedAs(bad);
  if (unmet)
    return plain(
      'identity_threshold',
      `${unmet.needed} distinct signers are required${unmet.predicate_types ? ` for ${unmet.predicate_types.join(' or ')}` : ''}, and there are ${unmet.signers}`,
    );
  if (requirements.length === 0) return plain('identity_unknown', 'the policy names no authorities');
  return { verdict: 'verified', code: null, family: null, message: '', next: null };
}

/** The record of evidence that was refused before there was anything to check. */
export function refusedRecord(refusal: Refusal, trust: Trust, nowMs: number): EvidenceRecord {
  return recordOf(refused(refusal.code, refusal.message, refusal.next), [], [], trust, nowMs, false);
}

function recordOf(
  outcome: Outcome,
  requirements: RequirementRecord[],
  envelopes: EnvelopeRecord[],
  trust: Trust,
  nowMs: number,
  subjectsCompared: boolean,
  root: TrustedRoot | null = null,
): EvidenceRecord {
  const { policy } = trust;
  const [usedRoot] = root ? [root] : trust.usedRoots;
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

/** A proof that the user named but that belongs to nothing here: it is always reported. */
function strayProof({ name, proof }: SeparateProof): EnvelopeRecord {
  const sha256 = digestOf(formatTlogProof(proof));
  return unreadable({
    ...{ name, sha256 },
    refusal: new Refusal('log_body', 'proves none of the evidence that was given'),
  });
}

/** Verifies files of evidence against a policy. Never throws because of their content: the record says what is wrong. */
export async function verifyEvidence(
  files: SourceFile[],
  given: Omit<VerificationContext, 'proofs'> & { proofs?: SeparateProof[] },
): Promise<EvidenceRecord> {
  const c: VerificationContext = { ...given, proofs: [...(given.proofs ?? [])] };
  const list: (Evidence | Unread)[] = [];
  for (const { name, bytes } of files) {
    try {
      const parsed = parseEvidenceFile(bytes, name);
      if (parsed.kind === 'proof') c.proofs.push(parsed);
      else list.push(...parsed.list);
    } catch (error) {
      list.push({ name, sha256: digestOf(bytes), refusal: asRefusal(error) });
    }
  }
  const signatures = list.reduce((sum, item) => sum + signaturesOf(item), 0);
  if (signatures * c.trust.policy.authorities.length > EVIDENCE_LIMITS.signatureChecks)
    return refusedRecord(
      new Refusal(
        'evidence_too_large',
        `${signatures} signatures and ${c.trust.policy.authorities.length} authorities: over ${EVIDENCE_LIMITS.signatureChecks} checks`,
      ),
      c.trust,
      c.nowMs,
    );
  const checked: CheckedEvidence[] = [];
  for (const item of list)
    checked.push(
      'content' in item
        ? await checkEvidence(item, c)
        : { record: unreadable(item), fulfils: [], root: null, used: [] },
    );
  const envelopes = checked.map(({ record }) => record);
  const requirements = c.trust.policy.require.map((requirement) => weigh(requirement, checked));
  // A proof of nothing is an error, never passed over.
  const used = new Set(checked.flatMap((one) => one.used));
  const idle = c.proofs.find((proof) => !used.has(proof));
  const stray =
    idle && envelopes.every(({ verdict }) => verdict === 'accepted') ? strayProof(idle) : undefined;
  const all = stray ? [...envelopes, stray] : envelopes;
  const outcome = stray && envelopes.length > 0 ? refusedAs(stray) : conclude(all, requirements);
  const root = checked.find((one) => one.root !== null)?.root ?? null;
  return recordOf(outcome, requirements, all, c.trust, c.nowMs, c.wanted.kind !== 'any', root);
}
