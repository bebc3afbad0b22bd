/** How a reader's own policy and trust root judge a bundle: nothing inside the bundle can influence that. */

import { type Digest, digestOf } from '../../base/digest.ts';
import { present } from '../../base/list.ts';
import { Refusal } from '../../evidence/common/refusal.ts';
import { acceptedIn } from '../../evidence/custody/vouched.ts';
import type { EvidenceRecord, Signer } from '../../evidence/documents/record.ts';
import { wantDigest } from '../../evidence/documents/subject.ts';
import { parseTlogProof } from '../../evidence/log/tlog-proof.ts';
import { Trust } from '../../evidence/trust/trust.ts';
import { someOf } from '../../evidence/verify/checks.ts';
import { type EvidencePlaces, verifyNamed } from '../../evidence/verify/named.ts';
import { type SourceFile, verifyEvidence } from '../../evidence/verify/verify.ts';
import type { Policy } from '../../policy/policy.ts';
import type { CrashCheck } from '../../verdict/crash-check.ts';
import { decide } from '../../verdict/decide.ts';
import { machineFacts } from '../../verdict/machine.ts';
import type { GateResult, ReplayRecord } from '../../verdict/record.ts';
import { imageDocuments } from '../format/image-documents.ts';
import type { Opened } from '../read/open.ts';

/** The reader's material; without a policy the one inside counts, under the reader's trust root. */
export interface Demands {
  policy?: Policy | undefined;
  trustRoot?: { path: string; bytes: Buffer } | undefined;
  nowMs: number;
}

/** A signer, and the subject of the signature: one over an image says nothing about a manifest. */
export interface SignedBy extends Signer {
  subjects: string[];
}

/** Who signed what, of evidence that was verified. */
export function signedBy(record: EvidenceRecord): SignedBy[] {
  return acceptedIn(record).flatMap(({ signers, subjects }) =>
    signers.map((signer) => ({ ...signer, subjects: subjects.map(({ field }) => field) })),
  );
}

/** The result. */
export interface Demanded {
  policy: string;
  /** Of what the manifest claims. */
  evidence: 'not_checked' | 'withheld' | EvidenceRecord['verdict'];
  signers: SignedBy[];
  /** The signers of the policy that signed the records: the bundle's custody events. */
  records_signed_by: { sequence: number; signer: Signer }[];
  gates: GateResult[];
  /** Times that are proven by an authority of the trust root, by the digest of the reply. */
  vouched: string[];
  unmet: string[];
}

/** A redacted record's statements about crashes, whose sites were taken out, so that they cannot be computed. */
function withheldCrashes({ replays, gates, reason }: ReplayRecord): CrashCheck {
  const matching = new Set(replays.flatMap(({ index, outcome }) => (outcome === 'match' ? [index] : [])));
  return {
    verdict: reason === 'crash_site' ? 'other' : reason === 'crash_unseen' ? 'unseen' : 'same',
    gate: gates.find(({ name }) => name === 'same_crash') ?? null,
    fits: ({ index }) => matching.has(index),
    summaries: () => [],
  };
}

/** Decides again, from the replays as they are recorded: signatures are computed again from the crashes, and never taken from the record. */
export function decideAgain(opened: Opened, policy: Policy): ReturnType<typeof decide> {
  const { record, subject } = opened;
  return decide(
    record.replays.map(({ outcome: _outcome, crash_signatures: _signatures, ...raw }) => raw),
    {
      requested: record.requested,
      gates: policy.gates,
      expect: opened.manifest?.expect,
      imageCheck: record.image?.image_check ?? 'engine',
      degraded: record.degraded,
      claims: record.claims,
      ...machineFacts(record.environment, opened.manifest?.expect),
    },
    subject && withheldCrashes(record),
  );
}

/** The evidence inside, as a place to find what the manifest names. */
function placesIn({ record, manifest, kept }: Opened): EvidencePlaces {
  const inside = record.evidence.files.flatMap((sha256): SourceFile[] => {
    const bytes = kept.get(sha256);
    return bytes ? [{ name: sha256, bytes }] : [];
  });
  return {
    envelope: async (digest) => {
      const file = inside.find(({ name }) => name === digest);
      if (!file) throw new Refusal('evidence_missing', `the bundle does not hold ${digest}`);
      return file;
    },
    proofs: async () =>
      inside
        .filter(({ name }) => manifest?.dsse_envelope !== `dsse:${name}`)
        .map(({ name, bytes }) => ({ name, proof: parseTlogProof(bytes, name) })),
    // An image is known by each link of its chain, but only by documents that are here: a record can name anything.
    imageChain: async () => {
      const image = await imageDocuments(present(manifest).sandbox_image_sha256, (digest) =>
        kept.get(digest),
      );
      return image ? [image.manifest, image.config] : [];
    },
  };
}

/** Verifies the evidence inside again, as a run does; `nowMs` is the time keys without proven times are judged at. */
export async function evidenceAgain(opened: Opened, trust: Trust, nowMs: number): Promise<EvidenceRecord> {
  return (await verifyNamed(present(opened.manifest), placesIn(opened), trust, nowMs)).record;
}

/** Which timestamps an authority of the trust root made, and the times that they prove, by their subject. */
async function vouchStamps(
  opened: Opened,
  trust: Trust,
): Promise<{ vouched: string[]; times: Map<Digest, number> }> {
  const { stamps, events } = opened.attested;
  const vouched: string[] = [];
  const times = new Map<Digest, number>();
  if (stamps.length === 0) return { vouched, times };
  const libraries = await Promise.all(trust.anchors.map((anchor) => anchor.library()));
  for (const { sha256, reply, of, time } of stamps) {
    const thing =
      of === opened.root
        ? Buffer.from(opened.rootText)
        : events.find((event) => event.sha256 === of)?.envelope;
    try {
      if (!thing || !of) continue;
      someOf(libraries, (library) => library.vouchTimestamp(reply, thing));
      vouched.push(sha256);
      times.set(of, Math.min(times.get(of) ?? Number.POSITIVE_INFINITY, Date.parse(time)));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }
  return { vouched, times };
}

/** The earliest of the times that are proven for these, else now. */
function provenTime(of: Digest[], times: Map<Digest, number>, nowMs: number): number {
  const proven = of.flatMap((digest) => times.get(digest) ?? []);
  return proven.length > 0 ? Math.min(...proven) : nowMs;
}

/** Actions by which a signer confirms the records; receiving or reading them is not one. */
const VOUCHING: readonly string[] = ['exported', 'redacted'];

/** The signers that the policy names and that signed an event about this root. */
async function recordSigners(
  opened: Opened,
  policy: Policy,
  times: Map<Digest, number>,
  nowMs: number,
): Promise<Demanded['records_signed_by']> {
  const trust = new Trust({ ...policy, require: [{ subjects: ['manifest'] }] });
  const wanted = { kind: 'listed' as const, subjects: [wantDigest('bundle', opened.root)] };
  const found: Demanded['records_signed_by'] = [];
  const { events } = opened.attested;
  for (const [i, { sequence, envelope, sha256, signed, action }] of events.entries()) {
    if (!signed || !VOUCHING.includes(action)) continue;
    // A later event names this one, so a time of the later one proves this one too. A time of the root does not.
    const since = provenTime(
      events.slice(i).map((event) => event.sha256),
      times,
      nowMs,
    );
    const files = [{ name: sha256, bytes: envelope }];
    const result = await verifyEvidence(files, { trust, wanted, nowMs: since });
    if (result.verdict === 'verified')
      for (const { signers } of result.envelopes)
        for (const signer of signers) found.push({ sequence, signer });
  }
  return found;
}

/** Judges a bundle by what the reader demands. Throws a Refusal where the policy or root itself is unusable. */
export async function checkDemands(opened: Opened, inside: Policy, d: Demands): Promise<Demanded> {
  const base = d.policy ?? inside;
  const policy: Policy = d.trustRoot
    ? {
        ...base,
        trustRoots: [
          { ...base.trustRoots[0], file: { ...d.trustRoot, sha256: digestOf(d.trustRoot.bytes) } },
        ],
      }
    : base;
  const trust = new Trust(policy);
  const { vouched, times } = await vouchStamps(opened, trust);
  const unmet: string[] = [];
  let evidence: Demanded['evidence'] = 'not_checked';
  let signers: SignedBy[] = [];
  let recordsSignedBy: Demanded['records_signed_by'] = [];
  if (policy.authorities.length > 0) {
    if (opened.subject && !opened.record.evidence.record) {
      evidence = 'withheld';
      unmet.push(`the manifest, by ${policy.name}: the evidence was withheld`);
    } else if (opened.manifest) {
      // Everything with a timestamp names the root, and the evidence lies below the root.
      const since = provenTime([...times.keys()], times, d.nowMs);
      const again = await evidenceAgain(opened, trust, since);
      evidence = again.verdict;
      signers = signedBy(again);
      if (again.verdict !== 'verified')
        unmet.push(`the manifest, by ${policy.name}: ${again.code}: ${again.message}`);
    }
    recordsSignedBy = await recordSigners(opened, policy, times, d.nowMs);
    if (d.policy && recordsSignedBy.length === 0)
      unmet.push(`no signer that ${policy.name} names has signed the records of this bundle`);
  }
  if (d.policy && opened.record.shard !== null)
    unmet.push(`the record is of shard ${opened.record.shard} alone: its gates are about that part`);
  const isExpected = opened.manifest?.expect?.crash && policy.gates.same_crash !== 'off';
  if (d.policy && opened.subject && isExpected)
    unmet.push('that the replays crashed where they should: the crash sites were withheld');
  const gates = d.policy ? decideAgain(opened, policy).gates : [];
  if (d.policy && opened.traced) {
    const { judgeTrace } = await import('./trace-checks.ts');
    gates.push(...(await judgeTrace(opened, policy, provenTime([...times.keys()], times, d.nowMs))).gates);
  }
  return {
    policy: policy.name,
    evidence,
    signers,
    records_signed_by: recordsSignedBy,
    gates,
    vouched,
    unmet,
  };
}
