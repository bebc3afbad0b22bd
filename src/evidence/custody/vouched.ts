/** Who signed what, and when: the one rule by which all other code reads that from an evidence record. */
import type { EnvelopeRecord, EvidenceRecord } from '../documents/record.ts';

/** Who vouched for a file, as verified. */
export interface Vouching {
  signers: string[];
  /** A time from a trusted log or timestamp authority. */
  signed_at: string | null;
  tile_ref: string | null;
}

/** The value for evidence that was refused, or of which nothing is known. */
export const UNVOUCHED: Vouching = { signers: [], signed_at: null, tile_ref: null };

/** The envelopes that count: none where the evidence as a whole was refused. */
export function acceptedIn({ verdict, envelopes }: EvidenceRecord): EnvelopeRecord[] {
  return verdict === 'verified' ? envelopes.filter((one) => one.verdict === 'accepted') : [];
}

/** The signers, the earliest time and the first log entry of all accepted envelopes; refused evidence has none of these. */
export function vouchedBy(record: EvidenceRecord): Vouching {
  const accepted = acceptedIn(record);
  const signers = accepted.flatMap((one) =>
    one.signers.map(({ identity, authority }) => identity ?? authority),
  );
  return {
    signers: [...new Set(signers)],
    signed_at: accepted.flatMap(({ timestamps }) => timestamps)[0]?.time ?? null,
    tile_ref: accepted.flatMap(({ log }) => log).find(({ tile_ref }) => tile_ref !== null)?.tile_ref ?? null,
  };
}
