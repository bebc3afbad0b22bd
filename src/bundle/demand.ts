/** What a reader's own policy and trust root make of a bundle: nothing that lies inside has a say in it. */
import { digestOf } from '../base/digest.ts';
import type { EvidenceRecord, Signer } from '../evidence/record.ts';
import { parseLogReference } from '../evidence/reference.ts';
import { Refusal } from '../evidence/refusal.ts';
import { wantDigest, wantManifest } from '../evidence/subject.ts';
import { Trust } from '../evidence/trust.ts';
import { verifyEvidence } from '../evidence/verify.ts';
import type { Policy } from '../policy/policy.ts';
import { decide } from '../verdict/decide.ts';
import type { GateResult } from '../verdict/record.ts';
import { imageDocuments } from './image-documents.ts';
import type { Opened } from './open.ts';

/** What the reader brings; without a policy the one inside counts, under the reader's trust root. */
export interface Demands {
  policy?: Policy | undefined;
  trustRoot?: { path: string; bytes: Buffer } | undefined;
  nowMs: number;
}

/** What came of it. */
export interface Demanded {
  policy: string;
  /** Of what the manifest claims. */
  evidence: 'not_checked' | 'withheld' | EvidenceRecord['verdict'];
  signers: Signer[];
  /** Who of the policy signed the records: the bundle's custody events. */
  records_signed_by: { sequence: number; signer: Signer }[];
  gates: GateResult[];
  /** Times that an authority of the trust root vouches for, by the digest of the reply. */
  vouched: string[];
  unmet: string[];
}

/** Decides again, from the replays as they are recorded. */
export function decideAgain(opened: Opened, policy: Policy): ReturnType<typeof decide> {
  const { record } = opened;
  return decide(
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
}

/** Verifies the evidence inside again; `nowMs` is the time keys without proven times are judged at. */
export async function evidenceAgain(
  { record, manifest, kept }: Opened,
  trust: Trust,
  nowMs: number,
  withReference: boolean,
): Promise<EvidenceRecord> {
  const files = record.evidence.files.flatMap((sha256) => {
    const bytes = kept.get(sha256);
    return bytes ? [{ name: sha256 as string, bytes }] : [];
  });
  const image = await imageDocuments(manifest!.sandbox_image_sha256, (digest) => kept.get(digest));
  // An image is known by each link of its chain, but only by documents that are here: a record can name anything.
  const digests = [manifest!.sandbox_image_sha256, ...(image ? [image.manifest, image.config] : [])];
  return verifyEvidence(files, {
    trust,
    wanted: wantManifest(manifest!, digests),
    ...(manifest!.rekor_tile_ref && withReference
      ? { reference: parseLogReference(manifest!.rekor_tile_ref) }
      : {}),
    nowMs,
  });
}

/** Which timestamps an authority of the trust root vouches for, and since when the bundle was there by their word. */
async function vouchStamps(
  opened: Opened,
  trust: Trust,
): Promise<{ vouched: string[]; sinceMs: number | null }> {
  const { stamps, events } = opened.attested;
  const vouched: string[] = [];
  let sinceMs: number | null = null;
  if (stamps.length === 0) return { vouched, sinceMs };
  const library = await trust.library();
  for (const { sha256, reply, of, time } of stamps) {
    const thing =
      of === opened.root
        ? Buffer.from(opened.rootText)
        : events.find((event) => event.sha256 === of)?.envelope;
    try {
      if (!thing) continue;
      library.vouchTimestamp(reply, thing);
      vouched.push(sha256);
      sinceMs = Math.min(sinceMs ?? Number.POSITIVE_INFINITY, Date.parse(time));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }
  return { vouched, sinceMs };
}

/** Whom the policy names that signed an event about this root. */
async function recordSigners(
  opened: Opened,
  policy: Policy,
  nowMs: number,
): Promise<Demanded['records_signed_by']> {
  const trust = new Trust({ ...policy, require: [{ subjects: ['manifest'] }] });
  const wanted = { kind: 'listed' as const, subjects: [wantDigest('bundle', opened.root)] };
  const found: Demanded['records_signed_by'] = [];
  for (const { sequence, envelope, sha256, signed } of opened.attested.events) {
    if (!signed) continue;
    const result = await verifyEvidence([{ name: sha256, bytes: envelope }], { trust, wanted, nowMs });
    if (result.verdict === 'verified')
      for (const { signers } of result.envelopes)
        for (const signer of signers) found.push({ sequence, signer });
  }
  return found;
}

/** Holds a bundle against what the reader demands. Throws a Refusal where the policy or root itself is unusable. */
export async function checkDemands(opened: Opened, inside: Policy, d: Demands): Promise<Demanded> {
  const base = d.policy ?? inside;
  const policy: Policy = d.trustRoot
    ? { ...base, trustRoot: { ...d.trustRoot, sha256: digestOf(d.trustRoot.bytes) } }
    : base;
  const trust = new Trust(policy);
  const { vouched, sinceMs } = await vouchStamps(opened, trust);
  const nowMs = sinceMs ?? d.nowMs;
  const unmet: string[] = [];
  let evidence: Demanded['evidence'] = 'not_checked';
  let signers: Signer[] = [];
  let recordsSignedBy: Demanded['records_signed_by'] = [];
  if (policy.authorities.length > 0) {
    if (opened.subject && !opened.record.evidence.record) evidence = 'withheld';
    else if (opened.manifest) {
      const again = await evidenceAgain(opened, trust, nowMs, true);
      evidence = again.verdict;
      signers = again.verdict === 'verified' ? again.envelopes.flatMap((envelope) => envelope.signers) : [];
      if (again.verdict !== 'verified')
        unmet.push(`the manifest, by ${policy.name}: ${again.code}: ${again.message}`);
    }
    recordsSignedBy = await recordSigners(opened, policy, nowMs);
    if (d.policy && recordsSignedBy.length === 0)
      unmet.push(`nobody whom ${policy.name} names has signed the records of this bundle`);
  }
  const gates = d.policy ? decideAgain(opened, policy).gates : [];
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
