/** What evidence proves of a shipped thing: chosen by the digests it names, verified under the policy of the person who adds it. */
import type { Trust } from '../evidence/trust/trust.ts';
import type { SourceFile } from '../evidence/verify/verify.ts';
import type { Proof, Shipped } from '../join/store/artifacts.ts';
import { pileOf, verifySifted } from '../join/store/evidence.ts';
import { linksOf } from './oci.ts';

/** One proof for each link that a file names, accepted or refused; where none names any, the refusal for the thing itself. */
export async function prove(
  shipped: Shipped,
  files: SourceFile[],
  trust: Trust,
  nowMs: number,
): Promise<Proof[]> {
  const pile = pileOf(files);
  const links = linksOf(shipped).map(({ sha256 }) => sha256);
  const named = [...new Set(links)].filter((link) => pile.names(link));
  const proofs: Proof[] = [];
  for (const subject of named.length > 0 ? named : links.slice(0, 1)) {
    proofs.push({ subject, ...(await verifySifted(subject, 'artifact', pile.about(subject), trust, nowMs)) });
  }
  return proofs;
}

/**
 * Of files that strangers may have attached, those that are accepted by themselves: what a stranger adds must not hide
 * good evidence. Where none is, all of them, so that the refusal says why.
 */
export async function sift(
  shipped: Shipped,
  files: SourceFile[],
  trust: Trust,
  nowMs: number,
): Promise<SourceFile[]> {
  const accepted: SourceFile[] = [];
  for (const file of files) {
    const proofs = await prove(shipped, [file], trust, nowMs);
    if (proofs.some(({ record }) => record.envelopes.some(({ verdict }) => verdict === 'accepted')))
      accepted.push(file);
  }
  return accepted.length > 0 ? accepted : files;
}
