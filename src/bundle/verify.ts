/** What a bundle proves: that it is whole, that its verdict follows from its records, and who signed what. */
import { canonicalJson } from '../base/canonical-json.ts';
import { type Digest, digestOf, isDigest } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import type { EvidenceRecord, Signer } from '../evidence/record.ts';
import { Refusal } from '../evidence/refusal.ts';
import { Trust } from '../evidence/trust.ts';
import { manifestSubject } from '../manifest/subject.ts';
import { type Policy, parsePolicy } from '../policy/policy.ts';
import type { Problems } from './contents.ts';
import { checkDemands, type Demanded, type Demands, decideAgain, evidenceAgain } from './demand.ts';
import { checkEvents, type EventClaim, type Receipt } from './event.ts';
import { imageDocuments } from './image-documents.ts';
import { type Opened, openBundle } from './open.ts';
import { Refused } from './refused.ts';

export interface BundleVerification {
  /** Nothing is wrong with it. */
  accepted: boolean;
  /** The bundle's identity; null when reading did not get that far. */
  root: Digest | null;
  /** The bundle that this is a redaction of. */
  redaction_of: Digest | null;
  name: string | null;
  verdict: string | null;
  /** Whether the recorded verdict follows from the recorded replays: nothing about who recorded them. */
  verdict_follows: boolean | null;
  /** Who signed what the manifest claims, verified again from what is inside; empty: nobody is proven to have. */
  signers: Signer[];
  evidence: 'not_checked' | 'withheld' | EvidenceRecord['verdict'] | null;
  /** What is signed about the bundle as a whole, by the holder of which key; whose it is, a policy says. */
  events: (EventClaim & { sequence: number; sha256: Digest; key_fingerprint: Digest })[];
  /** `vouched`: whether an authority of the reader's trust root made it; null: nobody was asked. */
  timestamps: { of: string; time: string; authority: string; vouched: boolean | null }[];
  /** What the reader's own policy makes of it; null: none was given. */
  demanded: Demanded | null;
  problems: Problems;
  items: number;
  size_bytes: number;
}

/** An object of JSON that is inside; what is none is said, and then nothing is taken from it. */
function documentOf(
  opened: Opened,
  sha256: Digest | null | undefined,
  what: string,
): Record<string, unknown> | undefined {
  const bytes = sha256 ? opened.kept.get(sha256) : undefined;
  if (!bytes) return undefined;
  const parsed = parseJson(bytes, { sizeBytes: LIMITS.documentBytes, depth: LIMITS.documentDepth });
  if (!parsed.ok || typeof parsed.value !== 'object' || parsed.value === null)
    throw new Refused('manifest_form', `${what} ${sha256} is no JSON object`);
  return parsed.value as Record<string, unknown>;
}

/** The policy as the run had it: its canonical form names its files by digest, and they are inside. */
export async function policyOf(opened: Opened): Promise<Policy> {
  const { name, sha256 } = opened.record.policy;
  const text = opened.kept.get(sha256)?.toString('utf8');
  if (text === undefined) throw new Refused('content_missing', `the policy ${sha256} is not there`);
  const policy = await parsePolicy(text, name, async (digest) => {
    const bytes = isDigest(digest) ? opened.kept.get(digest) : undefined;
    if (!bytes) throw new Error(`${digest} is not in the bundle`);
    return bytes;
  });
  if (policy.sha256 !== sha256)
    throw new Refused('content_missing', `the policy is ${policy.sha256}, not ${sha256}`);
  return policy;
}

/** Decides again, from the replays as they are recorded; and each state must have the ending its replay claims. */
function checkVerdict(opened: Opened, policy: Policy, problems: Problems): boolean {
  const { record } = opened;
  const before = problems.length;
  for (const { index, final_state_sha256, exit_code, signal } of record.replays) {
    const state = documentOf(opened, final_state_sha256, 'the state');
    if (state && (state.exit_code !== exit_code || state.signal !== signal))
      problems.push({
        code: 'verdict_differs',
        message: `replay ${index} ended in another way than its state says`,
      });
  }
  if (record.replays.length > 0) {
    const { verdict, reason, flaky, ratio, replays, gates } = decideAgain(opened, policy);
    const recorded = [
      record.verdict,
      record.reason,
      record.flaky,
      record.replay_success_ratio,
      record.replays,
      record.gates,
    ];
    if (canonicalJson([verdict, reason, flaky, ratio, replays, gates]) !== canonicalJson(recorded))
      problems.push({
        code: 'verdict_differs',
        message: `the record says ${record.verdict} (${record.reason}), and from its replays follows ${verdict} (${reason})`,
      });
  } else if (['reproduced', 'diverged'].includes(record.verdict) || record.replay_success_ratio !== 0)
    problems.push({
      code: 'verdict_differs',
      message: `the record says ${record.verdict}, and holds no replay from which that could follow`,
    });
  return problems.length === before;
}

async function checkEvidence(
  opened: Opened,
  policy: Policy,
  problems: Problems,
): Promise<EvidenceRecord | null> {
  const { record, manifest } = opened;
  const { status, record: recorded } = record.evidence;
  // What was withheld cannot be verified again; the result says so.
  if (opened.subject && !recorded) return null;
  if (status !== (recorded?.verdict ?? 'not_checked'))
    problems.push({
      code: 'evidence_differs',
      message: `the record says ${status}, and its evidence record ${recorded?.verdict ?? 'is not there'}`,
    });
  if (!recorded || !manifest) return null;
  const nowMs = Date.parse(recorded.verified_at);
  if (Number.isNaN(nowMs))
    throw new Refused('manifest_form', 'the evidence record has no time in verified_at');
  // As of then: that a key ended since does not make the run's check wrong.
  const again = await evidenceAgain(opened, new Trust(policy), nowMs, recorded.verdict === 'verified');
  if (again.verdict !== recorded.verdict)
    problems.push({
      code: 'evidence_differs',
      message: `the record says ${recorded.verdict}, and verifying again says ${again.verdict} (${again.code ?? ''} ${again.message})`,
    });
  return again;
}

/** What the record says of the image must be what the image's own documents say, where they are inside. */
async function checkImage({ record, manifest, kept }: Opened, problems: Problems): Promise<void> {
  const { image } = record;
  if (!image) return;
  if (image.requested !== manifest?.sandbox_image_sha256)
    problems.push({
      code: 'image_differs',
      message: `the record names ${image.requested}, the manifest another image`,
    });
  const found = await imageDocuments(image.requested, (digest) => kept.get(digest));
  if (!found) return;
  const [said, inside] = [image, found].map((one) => [
    one.manifest,
    one.config,
    ...('diffIds' in one ? one.diffIds : one.diff_ids),
  ]);
  if (canonicalJson(said) !== canonicalJson(inside))
    problems.push({
      code: 'image_differs',
      message: 'the record says other digests of the image than its documents',
    });
}

/** The run's entries: 1, 2, 3 … to its own, each naming the one before. */
function checkCustody(opened: Opened, problems: Problems): void {
  const place = opened.record.evidence.custody;
  const entries = opened.document.items.filter(({ role }) => role === 'custody');
  if (!place && entries.length === 0) return;
  let previous: Digest | null = null;
  const broken = entries.find(({ sha256 }, index) => {
    const entry = documentOf(opened, sha256, 'the custody entry');
    const fits = entry?.sequence === index + 1 && entry.previous === previous;
    previous = sha256;
    return !fits;
  });
  if (broken)
    problems.push({ code: 'custody_broken', message: `${broken.name} does not follow the entry before it` });
  else if (previous !== place?.sha256 || entries.length !== place?.sequence)
    problems.push({
      code: 'custody_broken',
      message: `the chain ends with ${previous}, and the record names ${place?.sha256}`,
    });
}

/** Events and timestamps: each signature, each link, and that every timestamp is of something here. */
function checkAttested({ attested }: Opened, receipts: Receipt[], problems: Problems): void {
  for (const message of checkEvents(attested.events, receipts))
    problems.push({ code: 'custody_broken', message });
  for (const { sha256, of } of attested.stamps)
    if (of === null)
      problems.push({
        code: 'timestamp_invalid',
        message: `the timestamp ${sha256} is neither of the root nor of an event`,
      });
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

/** What a reader brings to a verification. */
export interface VerifyOptions {
  demands?: Demands | undefined;
  /** Events that were shown to the reader before. */
  receipts?: Receipt[];
}

async function checkAll(opened: Opened, examined: ExaminedBundle, o: VerifyOptions): Promise<void> {
  const { verification: result } = examined;
  const { root, record, document, problems, sizeBytes, subject } = opened;
  const withheld = subject !== undefined && !record.evidence.record && record.evidence.files.length > 0;
  Object.assign(result, {
    root,
    redaction_of: subject?.digest ?? null,
    name: record.name,
    verdict: record.verdict,
    evidence: withheld ? 'withheld' : record.evidence.status,
    events: eventsOf(opened),
    timestamps: stampsOf(opened, undefined),
    problems,
    items: document.items.length,
    size_bytes: sizeBytes,
  });
  const policy = await policyOf(opened);
  result.verdict_follows = checkVerdict(opened, policy, problems);
  examined.evidence = await checkEvidence(opened, policy, problems);
  if (examined.evidence?.verdict === 'verified')
    result.signers = examined.evidence.envelopes.flatMap(({ signers }) => signers);
  await checkImage(opened, problems);
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
  verdict_follows: null,
  signers: [],
  evidence: null,
  events: [],
  timestamps: [],
  demanded: null,
  problems: [],
  items: 0,
  size_bytes: 0,
};

/** A verification with what was read, for whoever goes on from there without reading the bundle again. */
export interface ExaminedBundle {
  verification: BundleVerification;
  /** undefined where reading did not get to the end. */
  opened: Opened | undefined;
  /** What verifying the evidence again came to; null where there was none to verify. */
  evidence: EvidenceRecord | null;
}

/** Verifies a bundle offline, in one pass over it, and gives what was read and verified too. */
export async function examineBundle(path: string, o: VerifyOptions = {}): Promise<ExaminedBundle> {
  const verification = structuredClone(NOTHING);
  const examined: ExaminedBundle = { verification, opened: undefined, evidence: null };
  try {
    examined.opened = await openBundle(path);
    await checkAll(examined.opened, examined, o);
    verification.accepted = verification.problems.length === 0;
  } catch (error) {
    // A policy or a reference inside that is not of its form is the bundle's fault, not the caller's.
    const expected = error instanceof Refused || error instanceof Refusal || error instanceof Fault;
    if (!expected || (error instanceof Fault && error.code === 'usage')) throw error;
    const code = error instanceof Refused ? error.code : 'manifest_form';
    verification.problems = [...verification.problems, { code, message: error.message }];
  }
  return examined;
}

/** Verifies a bundle offline, in one pass over it. What is wrong is in the result, never thrown. */
export async function verifyBundle(path: string, o: VerifyOptions = {}): Promise<BundleVerification> {
  return (await examineBundle(path, o)).verification;
}
