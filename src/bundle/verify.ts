/** What a bundle proves: that it is whole, that its verdict follows from its records, and who signed what. */
import { canonicalJson } from '../base/canonical-json.ts';
import { type Digest, digestOf, isDigest } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import type { EvidenceRecord, Signer } from '../evidence/record.ts';
import { parseLogReference } from '../evidence/reference.ts';
import { Refusal } from '../evidence/refusal.ts';
import { wantManifest } from '../evidence/subject.ts';
import { Trust } from '../evidence/trust.ts';
import { verifyEvidence } from '../evidence/verify.ts';
import { type Policy, parsePolicy } from '../policy/policy.ts';
import { decide } from '../verdict/decide.ts';
import { type Opened, openBundle } from './open.ts';
import { type BundleCode, Refused } from './refused.ts';

interface BundleProblem {
  code: BundleCode;
  message: string;
}

export interface BundleVerification {
  /** Nothing is wrong with it. */
  accepted: boolean;
  /** The bundle's identity; null when reading did not get that far. */
  root: Digest | null;
  name: string | null;
  verdict: string | null;
  /** Whether the recorded verdict follows from the recorded replays: nothing about who recorded them. */
  verdict_follows: boolean | null;
  /** Who signed what the manifest claims, verified again from what is inside; empty: nobody is proven to have. */
  signers: Signer[];
  evidence: 'not_checked' | EvidenceRecord['verdict'] | null;
  problems: BundleProblem[];
  items: number;
  size_bytes: number;
}

/** A verification with what it read, for whoever writes about an accepted bundle without reading it again. */
export interface ExaminedBundle {
  verification: BundleVerification;
  /** undefined where reading did not get to the end. */
  opened?: Opened;
  /** What verifying the evidence again came to; null where there was none to verify. */
  evidence: EvidenceRecord | null;
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
function checkVerdict(opened: Opened, policy: Policy, problems: BundleProblem[]): boolean {
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
    const again = decide(
      record.replays.map(({ outcome: _outcome, ...raw }) => raw),
      {
        requested: record.requested,
        gates: policy.gates,
        expect: opened.manifest?.expect,
        imageCheck: record.image?.image_check ?? 'engine',
        degraded: record.degraded,
        claims: record.claims,
      },
    );
    const { verdict, reason, flaky, ratio, replays, gates } = again;
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
  }
  return problems.length === before;
}

async function checkEvidence(
  opened: Opened,
  policy: Policy,
  problems: BundleProblem[],
): Promise<EvidenceRecord | null> {
  const { record, manifest } = opened;
  const { status, record: recorded } = record.evidence;
  if (status !== (recorded?.verdict ?? 'not_checked'))
    problems.push({
      code: 'evidence_differs',
      message: `the record says ${status}, and its evidence record ${recorded?.verdict ?? 'is not there'}`,
    });
  if (!recorded || !manifest) return null;
  const nowMs = Date.parse(recorded.verified_at);
  if (Number.isNaN(nowMs))
    throw new Refused('manifest_form', 'the evidence record has no time in verified_at');
  const files = record.evidence.files.flatMap((sha256) => {
    const bytes = opened.kept.get(sha256);
    return bytes ? [{ name: sha256 as string, bytes }] : [];
  });
  const image = record.image;
  const digests = [manifest.sandbox_image_sha256, ...(image ? [image.manifest, image.config] : [])];
  const again = await verifyEvidence(files, {
    trust: new Trust(policy),
    wanted: wantManifest(manifest, digests),
    ...(manifest.rekor_tile_ref && recorded.verdict === 'verified'
      ? { reference: parseLogReference(manifest.rekor_tile_ref) }
      : {}),
    // As of then: that a key ended since does not make the run's check wrong.
    nowMs,
  });
  if (again.verdict !== recorded.verdict)
    problems.push({
      code: 'evidence_differs',
      message: `the record says ${recorded.verdict}, and verifying again says ${again.verdict} (${again.code ?? ''} ${again.message})`,
    });
  return again;
}

/** The run's entries: 1, 2, 3 … to its own, each naming the one before. */
function checkCustody(opened: Opened, problems: BundleProblem[]): void {
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

/** Verifies a bundle offline, in one pass over it. What is wrong is in the result, never thrown. */
export async function verifyBundle(path: string): Promise<BundleVerification> {
  return (await examineBundle(path)).verification;
}

/** As verifyBundle, and gives what was read and verified too. */
export async function examineBundle(path: string): Promise<ExaminedBundle> {
  const examined: Omit<ExaminedBundle, 'verification'> = { evidence: null };
  const result: BundleVerification = {
    accepted: false,
    root: null,
    name: null,
    verdict: null,
    verdict_follows: null,
    signers: [],
    evidence: null,
    problems: [],
    items: 0,
    size_bytes: 0,
  };
  try {
    const opened = openBundle(path);
    examined.opened = opened;
    const { root, record, document, problems, sizeBytes } = opened;
    const policy = await policyOf(opened);
    Object.assign(result, {
      root,
      name: record.name,
      verdict: record.verdict,
      evidence: record.evidence.status,
      problems,
      items: document.items.length,
      size_bytes: sizeBytes,
    });
    result.verdict_follows = checkVerdict(opened, policy, problems);
    const again = await checkEvidence(opened, policy, problems);
    examined.evidence = again;
    if (again?.verdict === 'verified') result.signers = again.envelopes.flatMap(({ signers }) => signers);
    checkCustody(opened, problems);
    if (digestOf(canonicalJson(record)) !== document.record_sha256)
      problems.push({ code: 'manifest_form', message: 'the record is not in canonical form' });
    result.accepted = problems.length === 0;
  } catch (error) {
    // A policy or a reference inside that is not of its form is the bundle's fault, not the caller's.
    const expected = error instanceof Refused || error instanceof Refusal || error instanceof Fault;
    if (!expected) throw error;
    const code = error instanceof Refused ? error.code : 'manifest_form';
    result.problems = [...result.problems, { code, message: error.message }];
  }
  return { verification: result, ...examined };
}
