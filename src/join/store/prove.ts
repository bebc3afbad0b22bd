/** Judges the evidence of joined frames from its bytes alone: the same when a bundle is made and when it is verified. */

import type { Digest } from '../../base/digest.ts';
import { EVIDENCE_LIMITS } from '../../base/limits.ts';
import { itemAt } from '../../base/list.ts';
import { UNVOUCHED, vouchedBy } from '../../evidence/custody/vouched.ts';
import type { Trust } from '../../evidence/trust/trust.ts';
import { checksIn, type SourceFile } from '../../evidence/verify/verify.ts';
import type { BuildFacts } from '../build-facts.ts';
import { type Build, type JoinProof, NOTHING_SAID } from '../document.ts';
import { type About, factsOf, mainOf, verifyAbout } from './evidence.ts';

/** What is judged: the thing that evidence is about, and the evidence. */
export type Claimed = Pick<JoinProof, 'subject_sha256' | 'within' | 'files'>;

/** Gives the bytes of a file of evidence, or undefined where they are not there. */
export type BytesOf = (sha256: Digest) => Promise<Buffer | undefined> | Buffer | undefined;

/** Facts of a build as documents have them: each is there, or is null. */
export function buildOf({ builder, builder_commit, compiler, compiler_flags }: BuildFacts): Build {
  return {
    builder: builder ?? null,
    builder_commit: builder_commit ?? null,
    compiler: compiler ?? null,
    compiler_flags: compiler_flags ?? null,
  };
}

/** Judges many proofs under one policy as of one time; no more signatures than evidence of one thing may take. */
export class Prover {
  private left: number = EVIDENCE_LIMITS.signatureChecks;
  private readonly trust: Trust;
  private readonly nowMs: number;
  private readonly bytesOf: BytesOf;

  constructor(trust: Trust, nowMs: number, bytesOf: BytesOf) {
    this.trust = trust;
    this.nowMs = nowMs;
    this.bytesOf = bytesOf;
  }

  /** Missing bytes are a refusal, and so is evidence that would take more work than the limit allows. */
  async prove(about: About, { subject_sha256, within, files }: Claimed): Promise<JoinProof> {
    const sources: SourceFile[] = [];
    for (const name of files) {
      const bytes = await this.bytesOf(name);
      if (bytes) sources.push({ name, bytes });
    }
    const claimed = { subject_sha256, within, files };
    const refused = (code: string): JoinProof => ({
      ...{ ...claimed, ...UNVOUCHED, dsse: itemAt(files, 0), verified: false, code },
      build: NOTHING_SAID,
    });
    if (sources.length < files.length) return refused('evidence_missing');
    this.left -= checksIn(sources, this.trust);
    if (this.left < 0) return refused('evidence_too_large');
    const record = await verifyAbout(subject_sha256, about, sources, this.trust, this.nowMs);
    const main = mainOf(record);
    if (record.verdict !== 'verified' || !main) {
      const { sha256 } = main ?? record.envelopes[0] ?? { sha256: files[0]! };
      return { ...refused(record.code ?? 'evidence_missing'), dsse: sha256 };
    }
    return {
      ...claimed,
      dsse: main.sha256,
      verified: true,
      code: null,
      ...vouchedBy(record),
      build: buildOf(factsOf(main, sources)),
    };
  }
}
