/** What all evidence of one call is checked against. */

import type { LogReference } from '../documents/reference.ts';
import type { Wanted } from '../documents/subject.ts';
import type { TlogProof } from '../log/tlog-proof.ts';
import type { Trust } from '../trust/trust.ts';

/** A proof that came in a file of its own. */
export interface SeparateProof {
  name: string;
  proof: TlogProof;
}

export interface VerificationContext {
  trust: Trust;
  wanted: Wanted;
  /** The file that message signatures are over. */
  artifact?: Buffer;
  proofs: SeparateProof[];
  /** What the manifest's rekor_tile_ref names: then it must be proven. */
  reference?: LogReference;
  nowMs: number;
}
