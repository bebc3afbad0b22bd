/** What must be consistent among a bundle's contents: verdict, evidence, image, commitments. */
import { canonicalJson } from '../../base/canonical-json.ts';
import { type Digest, digestOf, isDigest } from '../../base/digest.ts';
import type { EvidenceRecord, Signer } from '../../evidence/documents/record.ts';
import { Trust } from '../../evidence/trust/trust.ts';
import { type Policy, parsePolicy } from '../../policy/policy.ts';
import { claimsAgain } from '../../verdict/claims.ts';
import { asOlderReleases, finalStateOf } from '../../verdict/decide.ts';
import type { ReplayRecord } from '../../verdict/record.ts';
import { imageDocuments } from '../format/image-documents.ts';
import { Refused } from '../format/refused.ts';
import type { Problems } from '../read/contents.ts';
import type { Opened } from '../read/open.ts';
import { stateOf } from '../read/states.ts';
import { decideAgain, evidenceAgain } from './reader-policy.ts';

/** The policy as the run had it: its canonical form names its files by digest, and they are inside. */
export async function policyOf(
  opened: Opened,
  { name, sha256 }: ReplayRecord['policy'] = opened.record.policy,
): Promise<Policy> {
  const text = opened.kept.get(sha256)?.toString('utf8');
  if (text === undefined) throw new Refused('content_missing', `the policy ${sha256} is not there`);
  // Its canonical form is JSON: hostile YAML could keep a parser busy for minutes.
  if (!text.startsWith('{')) throw new Refused('manifest_form', `the policy ${sha256} is not canonical JSON`);
  const policy = await parsePolicy(text, name, async (digest) => {
    const bytes = isDigest(digest) ? opened.kept.get(digest) : undefined;
    if (!bytes) throw new Error(`${digest} is not in the bundle`);
    return bytes;
  });
  if (policy.sha256 !== sha256)
    throw new Refused('content_missing', `the policy is ${policy.sha256}, not ${sha256}`);
  return policy;
}

/** The facts that a record repeats from its manifest and replays are read first by people: they must be the same in both places. */
export function checkRecord({ record, manifest }: Opened, problems: Problems): void {
  const { replays, requested } = record;
  if (!manifest)
    problems.push({
      code: 'content_missing',
      message: 'the manifest of the record is not there, or over the limit',
    });
  const said: [string, unknown, unknown][] = [
    ['final state', record.final_state_sha256, finalStateOf(replays)],
  ];
  if (manifest) {
    said.push(
      ['expected state', record.expected_state_sha256, manifest.expect?.final_state_sha256 ?? null],
      ['sandbox image', record.sandbox_image_sha256, manifest.sandbox_image_sha256],
    );
    if (manifest.name !== undefined) said.push(['name', record.name, manifest.name]);
  }
  if (
    manifest &&
    replays.length > 0 &&
    canonicalJson(record.claims) !== canonicalJson(claimsAgain(manifest, record.claims))
  )
    problems.push({
      code: 'record_differs',
      message: 'the record’s claims are not those of the manifest, or fit otherwise',
    });
  for (const [what, here, there] of said)
    if (here !== there)
      problems.push({
        code: 'record_differs',
        message: `the record’s ${what} is ${here}, and should be ${there}`,
      });
  if (new Set(replays.map(({ index }) => index)).size < replays.length || replays.length > requested)
    problems.push({
      code: 'record_differs',
      message: 'the record counts a replay twice, or more than were asked for',
    });
}

/** Decides again, from the replays as they are recorded; and each state must have the ending its replay claims. */
export function checkVerdict(opened: Opened, policy: Policy, problems: Problems): boolean {
  const { record } = opened;
  const before = problems.length;
  const states = new Map<Digest | null, ReturnType<typeof stateOf>>();
  for (const { index, final_state_sha256, exit_code, signal } of record.replays) {
    // Many replays end in one state: it is read once.
    if (!states.has(final_state_sha256)) states.set(final_state_sha256, stateOf(opened, final_state_sha256));
    const state = states.get(final_state_sha256);
    if (state && (state.exit_code !== exit_code || state.signal !== signal))
      problems.push({
        code: 'verdict_differs',
        message: `replay ${index} ended in another way than its state says`,
      });
  }
  if (record.replays.length > 0) {
    const decision = decideAgain(opened, policy);
    const { verdict, reason, flaky, ratio, replays } = decision;
    // Records from before signatures have none, and computing them now would prove nothing more.
    const signed = record.replays.some(({ crash_signatures }) => crash_signatures);
    const again = signed ? replays : replays.map(({ crash_signatures: _, ...rest }) => rest);
    const recorded = [
      record.verdict,
      record.reason,
      record.flaky,
      record.replay_success_ratio,
      record.replays,
      record.gates,
    ];
    // In the words of this release, or of those that had one word for both ways of diverging.
    const follows = [decision, asOlderReleases(decision)].some(
      (one) =>
        canonicalJson([verdict, one.reason, flaky, ratio, again, one.gates]) === canonicalJson(recorded),
    );
    if (!follows)
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

/** Signers as records of every release have them: the build's fields from the certificate came later. */
function withoutBuild({ certificate: _says, open: _open, ...signer }: Signer): Signer {
  return signer;
}

/** One code for both: older releases called a signature by a key that the policy does not have an invalid one. */
function unmade(code: string | null): string | null {
  return code === 'identity_unknown' ? 'signature_invalid' : code;
}

/** The parts of an evidence record that do not depend on names of files and on a release's wording. */
function essence(
  { verdict, code, subjects_compared, requirements, envelopes, trust_root }: EvidenceRecord,
  older: boolean,
): unknown {
  return {
    verdict,
    code: unmade(code),
    subjects_compared,
    requirements,
    trust_root: trust_root?.sha256 ?? null,
    envelopes: envelopes.map(({ file: _file, message: _message, next: _next, checks, signers, ...rest }) => ({
      ...rest,
      code: unmade(rest.code),
      signers: older ? signers.map(withoutBuild) : signers,
      checks: checks.map(({ name, status, code: failure }) => ({ name, status, failure: unmade(failure) })),
    })),
  };
}

/** Verifies the evidence inside again, as of the time of the run. */
export async function checkEvidence(
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
  if (
    status !== 'verified' &&
    policy.authorities.length > 0 &&
    ['reproduced', 'diverged'].includes(record.verdict)
  )
    problems.push({
      code: 'evidence_differs',
      message: `the policy inside demands evidence, and the record comes to a verdict while it is ${status}`,
    });
  if (recorded && digestOf(canonicalJson(recorded)) !== record.evidence.record_sha256)
    problems.push({
      code: 'evidence_differs',
      message: 'the evidence record is not the one whose digest is named',
    });
  if (!recorded || !manifest) return null;
  const nowMs = Date.parse(recorded.verified_at);
  if (Number.isNaN(nowMs) || new Date(nowMs).toISOString() !== recorded.verified_at)
    throw new Refused('manifest_form', 'the evidence record has no time in verified_at');
  // At the time of the run: a key that has expired since does not make the run's check wrong.
  const again = await evidenceAgain(opened, new Trust(policy), nowMs);
  const same = again.verdict === recorded.verdict;
  // Evidence that a run did not find, or could not read, is not inside: only the recorder states so, and nothing is accepted because of it.
  if (recorded.verdict !== 'verified' && recorded.envelopes.length === 0) return same ? again : null;
  const older = recorded.envelopes.every(({ signers }) =>
    signers.every(({ certificate, open }) => certificate === undefined && open === undefined),
  );
  if (!same)
    problems.push({
      code: 'evidence_differs',
      message: `the record says ${recorded.verdict}, and verifying again says ${again.verdict} (${again.code ?? ''} ${again.message})`,
    });
  else if (canonicalJson(essence(again, older)) !== canonicalJson(essence(recorded, older)))
    problems.push({
      code: 'evidence_differs',
      message: 'the evidence record says other signers, subjects, times or log entries than verifying again',
    });
  return again;
}

/** The record's facts about the image must be those of the image's own documents, where they are inside. */
export async function checkImage({ record, manifest, kept }: Opened, problems: Problems): Promise<void> {
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

/** In a redaction, every commitment must be in the list of withheld contents, so that nothing is hidden silently. */
export function checkCommitments(
  { document, kept, record, shown, subject }: Opened,
  problems: Problems,
): void {
  if (!subject) return;
  const listed = new Set<string>((document.withheld ?? []).map(({ commitment }) => commitment));
  // The nonce is always withheld, and an expected state that is not inside has no content to list.
  for (const own of [shown.nonce, shown.expected_state_sha256]) if (own) listed.add(own);
  const documents = document.items.filter(({ role }) =>
    ['record', 'manifest', 'state', 'join'].includes(role),
  );
  for (const { role, sha256 } of documents) {
    const text = kept.get(sha256)?.toString('latin1') ?? '';
    const hidden = [...text.matchAll(/hmac-sha256:[0-9a-f]{64}/g)].find(([found]) => !listed.has(found));
    if (hidden)
      problems.push({
        code: 'content_missing',
        message: `${role} of ${record.name}: ${hidden[0]} is withheld and in no list`,
      });
  }
}
