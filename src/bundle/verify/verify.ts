/** What a bundle proves: that it is whole, that its verdict follows from its records, and who signed what. */

import { canonicalJson } from '../../base/canonical-json.ts';
import { type Digest, digestOf } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import { Refusal } from '../../evidence/common/refusal.ts';
import type { EvidenceRecord } from '../../evidence/documents/record.ts';
import { manifestSubject } from '../../manifest/subject.ts';
import { crashText, signatureText } from '../../report/crash.ts';
import type { Crash } from '../../sandbox/crash.ts';
import { holdsOnly } from '../../verdict/machine.ts';
import type { ReplayRecord } from '../../verdict/record.ts';
import type { EventClaim, Receipt } from '../custody/event.ts';
import { Refused } from '../format/refused.ts';
import type { Problems } from '../read/contents.ts';
import { type Opened, openBundle } from '../read/open.ts';
import {
  checkCommitments,
  checkEvidence,
  checkImage,
  checkRecord,
  checkVerdict,
  policyOf,
} from './checks.ts';
import { checkAttested, checkCustody } from './custody.ts';
import { checkFollows } from './follows.ts';
import { checkInside } from './inside.ts';
import { checkDemands, type Demanded, type Demands, type SignedBy, signedBy } from './reader-policy.ts';
import { SAID_BY_RECORDER } from './said.ts';
import type { TraceVerification } from './trace-checks.ts';

export interface BundleVerification {
  /** True if nothing is wrong with it. */
  accepted: boolean;
  /** The bundle's identity; null when reading did not get that far. */
  root: Digest | null;
  /** The bundle that this is a redaction of. */
  redaction_of: Digest | null;
  name: string | null;
  verdict: string | null;
  /** The only circumstances in which the verdict holds, by processor and mechanisms as they are recorded; empty: everywhere. */
  holds_only: string[];
  /** Fields of the record that nothing in the bundle decides, by path. */
  said_by_recorder: readonly string[];
  /** Each crash of the recorded replays once, by the place and the signature that people read. */
  crashes: { crash: Crash; replays: number }[];
  /** What was not as it should be while it was replayed; empty: nothing. */
  degraded: string[];
  /** Whether the recorded verdict follows from the recorded replays: nothing about who recorded them. */
  verdict_follows: boolean | null;
  /** Who signed what the manifest claims, verified again from the contents; empty: no signer is proven. */
  signers: SignedBy[];
  evidence: 'not_checked' | 'withheld' | EvidenceRecord['verdict'] | null;
  /** About its trace; null: the bundle has only a record, or the trace was withheld. */
  trace: TraceVerification | null;
  /** What is signed about the bundle as a whole, and by which key; only a policy says whose key that is. */
  events: (EventClaim & { sequence: number; sha256: Digest; key_fingerprint: Digest })[];
  /** `vouched`: whether an authority of the reader's trust root made it; null: no root was given. */
  timestamps: { of: string; time: string; authority: string; vouched: boolean | null }[];
  /** How the reader's own policy judges it; null: none was given. */
  demanded: Demanded | null;
  /** Contents that were too large to examine; empty: none. */
  unread: string[];
  /** Whether report.html, custody.txt and VERIFY.txt are those that follow from the contents; null: another release made them. */
  texts_compared: boolean | null;
  problems: Problems;
  items: number;
  size_bytes: number;
}

function eventsOf({ attested }: Opened): BundleVerification['events'] {
  return attested.events.map(({ sequence, action, actor, reason, time, sha256, key }) => ({
    sequence,
    action,
    actor,
    reason,
    time,
    sha256,
    key_fingerprint: key.fingerprint,
  }));
}

function stampsOf(
  { attested, root }: Opened,
  vouched: string[] | undefined,
): BundleVerification['timestamps'] {
  return attested.stamps.map(({ sha256, of, time, authority }) => {
    const event = attested.events.find((one) => one.sha256 === of);
    return {
      of: of === root ? 'bundle' : event ? `event ${event.sequence}` : 'nothing',
      time,
      authority,
      vouched: vouched ? vouched.includes(sha256) : null,
    };
  });
}

/** Replays that crashed in the same way say the same. */
function crashesOf({ replays }: ReplayRecord): BundleVerification['crashes'] {
  const found = new Map<string, { crash: Crash; replays: number }>();
  for (const { crash } of replays) {
    if (!crash) continue;
    const key = `${crashText(crash)} ${signatureText(crash)}`;
    const one = found.get(key) ?? { crash, replays: 0 };
    found.set(key, { ...one, replays: one.replays + 1 });
  }
  return [...found.values()];
}

/** What a reader brings to a verification. */
export interface VerifyOptions {
  demands?: Demands | undefined;
  /** Events that were shown to the reader before. */
  receipts?: Receipt[];
}

async function checkAll(
  path: string,
  opened: Opened,
  examined: ExaminedBundle,
  o: VerifyOptions,
): Promise<void> {
  const { verification: result } = examined;
  const { root, record, document, problems, sizeBytes, subject, textsCompared } = opened;
  const withheld = subject !== undefined && !record.evidence.record && record.evidence.files.length > 0;
  Object.assign(result, {
    root,
    redaction_of: subject?.digest ?? null,
    name: record.name,
    verdict: record.verdict,
    holds_only: holdsOnly(record.environment),
    crashes: crashesOf(record),
    degraded: record.degraded,
    said_by_recorder: SAID_BY_RECORDER,
    evidence: withheld ? 'withheld' : record.evidence.status,
    events: eventsOf(opened),
    timestamps: stampsOf(opened, undefined),
    texts_compared: textsCompared || null,
    problems,
    items: document.items.length,
    size_bytes: sizeBytes,
  });
  const policy = await policyOf(opened);
  checkRecord(opened, problems);
  checkFollows(opened, problems);
  result.verdict_follows = checkVerdict(opened, policy, problems);
  examined.evidence = await checkEvidence(opened, policy, problems);
  if (examined.evidence) result.signers = signedBy(examined.evidence);
  const { traced } = opened;
  const joinPolicy = traced ? await policyOf(opened, traced.join.policy) : undefined;
  // Readers of symbol files are loaded only where there are some.
  if (joinPolicy)
    result.trace = await (await import('./trace-checks.ts')).checkTrace(path, opened, joinPolicy, problems);
  result.unread = await checkInside(opened, joinPolicy ? [policy, joinPolicy] : [policy], problems);
  await checkImage(opened, problems);
  checkCommitments(opened, problems);
  checkCustody(opened, problems);
  checkAttested(opened, o.receipts ?? [], problems);
  if (digestOf(canonicalJson(opened.shown)) !== document.record_sha256)
    problems.push({ code: 'manifest_form', message: 'the record is not in canonical form' });
  if (opened.shownManifest && manifestSubject(opened.shownManifest) !== record.manifest_subject_sha256)
    problems.push({
      code: 'manifest_form',
      message: `the record names ${record.manifest_subject_sha256} as what evidence must name, and that is not the manifest inside`,
    });
  if (!o.demands) return;
  const demanded = await checkDemands(opened, policy, o.demands);
  result.demanded = demanded;
  result.timestamps = stampsOf(opened, demanded.vouched);
  for (const message of demanded.unmet) problems.push({ code: 'policy_unmet', message });
}

const NOTHING: BundleVerification = {
  accepted: false,
  root: null,
  redaction_of: null,
  name: null,
  verdict: null,
  holds_only: [],
  crashes: [],
  degraded: [],
  said_by_recorder: [],
  verdict_follows: null,
  signers: [],
  evidence: null,
  trace: null,
  events: [],
  timestamps: [],
  demanded: null,
  texts_compared: null,
  unread: [],
  problems: [],
  items: 0,
  size_bytes: 0,
};

/** A verification with what was read, for callers that continue without reading the bundle again. */
export interface ExaminedBundle {
  verification: BundleVerification;
  /** undefined where reading did not reach the end. */
  opened: Opened | undefined;
  /** The result of verifying the evidence again; null where there was none to verify. */
  evidence: EvidenceRecord | null;
}

/** Verifies a bundle offline, in one pass over it, and also returns what was read and verified. */
export async function examineBundle(path: string, o: VerifyOptions = {}): Promise<ExaminedBundle> {
  const verification = structuredClone(NOTHING);
  const examined: ExaminedBundle = { verification, opened: undefined, evidence: null };
  try {
    examined.opened = await openBundle(path);
    await checkAll(path, examined.opened, examined, o);
    verification.accepted = verification.problems.length === 0;
  } catch (error) {
    // A malformed policy or reference inside is an error of the bundle, not of the caller.
    const expected = error instanceof Refused || error instanceof Refusal || error instanceof Fault;
    if (!expected || (error instanceof Fault && error.code === 'usage')) throw error;
    const code = error instanceof Refused ? error.code : 'manifest_form';
    verification.problems = [...verification.problems, { code, message: error.message }];
  }
  return examined;
}

/** Verifies a bundle offline, in one pass over it. Errors are in the result, never thrown. */
export async function verifyBundle(path: string, o: VerifyOptions = {}): Promise<BundleVerification> {
  return (await examineBundle(path, o)).verification;
}
