/** Why a frame is not joined to a proven build: one code for each reason, found in this order. */

import type { SourcePlace } from '../objects/common/source-place.ts';
import type { FrameFacts } from '../trace/model/frame-facts.ts';

/** Every code, in the order in which they are looked for. */
export const GAP_CODES = [
  'no_module',
  'no_address',
  'no_image_id',
  'scanned_frame',
  'bundle_missing',
  'pdb_age_mismatch',
  'pdb_guid_mismatch',
  'uuid_mismatch',
  'arch_slice_missing',
  'build_id_mismatch_same_text',
  'ambiguous_debug_id',
  'id_unproven',
  'stripped_bundle',
  'unsupported_compression',
  'dwo_missing',
  'dwz_missing',
  'symtab_only',
  'malformed',
  'engine_crash',
  'base_ambiguous',
  'approximate_nearest',
  'approximate_folded',
  'approximate_by_name',
  'no_symbol_at_addr',
  'bundle_unverified',
  'artifact_unlinked',
  'ambiguous_artifact',
  'provenance_missing',
  'provenance_digest_mismatch',
  'provenance_unverified',
] as const;
export type GapCode = (typeof GAP_CODES)[number];

/** The result of looking an address up in symbols; null: no lookup was possible. */
export const FRAME_STATUSES = [
  'resolved',
  'no_symbol',
  'approximate_nearest',
  'approximate_folded',
  'approximate_by_name',
  'engine_crash',
  'malformed',
  'base_ambiguous',
] as const;
export type FrameStatus = (typeof FRAME_STATUSES)[number];

/** Evidence as the store has it, and whether it stands under the policy that is asked now. */
export interface JoinEvidence {
  /** The store's number of it. */
  evidence: number;
  dsse: string;
  verified: boolean;
  error: string | null;
  signers: string[];
  signed_at: string | null;
  tile_ref: string | null;
}

export interface JoinBundle {
  sha256: string;
  name: string;
  format: string;
  quality: number;
  lacks: string[];
  evidence: JoinEvidence | null;
}

export interface JoinArtifact {
  sha256: string;
  artifact_id: string;
  kind: string;
  builder: string | null;
  builder_commit: string | null;
  compiler: string | null;
  compiler_flags: string | null;
  /** The source of the compiler's name: provenance, or a part of a named file. */
  compiler_from: string | null;
  evidence: JoinEvidence | null;
}

/** A physical frame, with all that the store joins to it. */
export interface JoinedFrame extends FrameFacts {
  /** Innermost first. */
  places: SourcePlace[];
  degraded: boolean;
  status: string | null;
  /** The symbols that were asked, and the only artifact that this frame can be of. */
  bundle: JoinBundle | null;
  artifact: JoinArtifact | null;
  /** All that carry the image's id. */
  candidates: number;
  gap: GapCode | null;
}

/** In scripts, source maps name places only; in a program each call that is inlined there must have a name, or the place is unknown. */
export function isNamed(places: readonly SourcePlace[], format: string): boolean {
  return (
    places.length > 0 &&
    places.every(({ function: name, file }) => name !== null || (format === 'sourcemap' && file !== null))
  );
}

/** Whether a place has a name that is no more than likely. */
export function isApproximate(
  status: string | null,
): status is 'approximate_nearest' | 'approximate_folded' | 'approximate_by_name' {
  return status?.startsWith('approximate_') ?? false;
}

/** Why an address has no name is decided by what the symbols lack. */
function unnamed({ lacks }: JoinBundle): GapCode {
  const reasons: GapCode[] = [
    ...(['unsupported_compression', 'dwo_missing', 'dwz_missing', 'symtab_only', 'stripped_bundle'] as const),
  ];
  return reasons.find((code) => lacks.includes(code)) ?? 'no_symbol_at_addr';
}

function provenanceGap({ evidence }: JoinArtifact): GapCode | null {
  if (evidence === null) return 'provenance_missing';
  if (evidence.verified) return null;
  return evidence.error?.startsWith('subject_missing')
    ? 'provenance_digest_mismatch'
    : 'provenance_unverified';
}

/** The first thing that keeps a frame from being joined; null: it is. Near misses are told apart by `gapsOf`. */
export function gapOf(frame: Omit<JoinedFrame, 'gap'>): GapCode | null {
  const { image_id, status, bundle, artifact } = frame;
  if (image_id === null) return frame.ip === null ? 'no_address' : 'no_module';
  if (image_id.startsWith('none:')) return status === 'approximate_by_name' ? status : 'no_image_id';
  // A frame that was found by searching the stack may be left from an earlier call.
  if (frame.trust === 'scan') return 'scanned_frame';
  if (bundle === null || status === null) return 'bundle_missing';
  if (status === 'engine_crash' || status === 'malformed' || status === 'base_ambiguous') return status;
  if (isApproximate(status)) return status;
  if (status !== 'resolved' || !isNamed(frame.places, bundle.format)) return unnamed(bundle);
  if (bundle.evidence?.verified !== true) return 'bundle_unverified';
  if (artifact !== null) return provenanceGap(artifact);
  return frame.candidates > 1 && frame.loaded_sha256 === null ? 'ambiguous_artifact' : 'artifact_unlinked';
}

/** Symbols that nearly fit an image, and the reason why they do not. */
export interface NearMiss {
  code: GapCode;
  /** The id that was found instead. */
  id: string;
  arch: string;
  name: string;
  sha256: string;
}
