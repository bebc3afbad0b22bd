/** What log entries and times rest on: one trust root for the whole of a piece of evidence, even if the policy names several. */

import { itemAt } from '../../base/list.ts';
import { Refusal } from '../common/refusal.ts';
import type { Vouched } from '../trust/sigstore.ts';
import type { Anchor, TrustedLog } from '../trust/trust.ts';
import { asRefusal, someOf } from './checks.ts';
import type { SeparateProof, VerificationContext } from './context.ts';
import type { Evidence } from './evidence-file.ts';
import { checkLogWindows, checkReference, type ProvenEntry, proveEntry, proveWith } from './log-entry.ts';
import type { Verified } from './signature.ts';

/** Proves each signature's entry, from what the bundle carries and from proofs in files of their own; and which of those proved one. */
function proveAll(
  evidence: Evidence,
  verified: Verified[],
  c: VerificationContext,
  logs: TrustedLog[],
): Pick<Grounds, 'proven' | 'used'> {
  const used: SeparateProof[] = [];
  const own = evidence.content.kind === 'bundle' ? evidence.content.bundle.entries : [];
  let misfit: Refusal | undefined;
  const perSignature = verified.map(({ thing, key }) => {
    const entries = own.map((entry) => proveEntry(entry, thing, logs));
    for (const separate of c.proofs) {
      try {
        entries.push(proveWith(separate.proof, thing, key.algorithm, logs));
        used.push(separate);
      } catch (error) {
        const { code, message, next } = asRefusal(error);
        misfit = new Refusal(code, `${separate.name}: ${message}`, error, next);
      }
    }
    return entries;
  });
  // With several pieces of evidence a proof may belong to another one; if none is left, it does not fit. Where an
  // entry is named, every proof that was found is one of it: one that does not fit shows another history.
  if (misfit && c.reference) throw misfit;
  if (misfit && !perSignature.flat().some(({ kind }) => kind === 'proof')) throw misfit;
  if (c.reference) checkReference(perSignature.flat(), c.reference);
  return { proven: perSignature, used };
}

/** What was proven under one trust root; null where the evidence rests on keys of the policy alone. */
export interface Grounds {
  anchor: Anchor | null;
  proven: ProvenEntry[][];
  /** The proofs in files of their own that proved one of the entries. */
  used: SeparateProof[];
}

/** The roots under which all log entries can be proven; without entries, no root is needed. */
export function groundsOf(evidence: Evidence, verified: Verified[], c: VerificationContext): Grounds[] {
  const { content } = evidence;
  const bare =
    content.kind === 'envelope' ||
    (content.bundle.material.kind === 'key' &&
      content.bundle.entries.length + content.bundle.timestamps.length === 0);
  if (bare && c.proofs.length === 0) return [{ anchor: null, ...proveAll(evidence, verified, c, []) }];
  return someOf(c.trust.anchorsFor(itemAt(verified, 0).thing.certificate), (anchor) => ({
    anchor: bare ? null : anchor,
    ...proveAll(evidence, verified, c, anchor.logs),
  }));
}

async function checkTimes(
  evidence: Evidence,
  verified: Verified[],
  { anchor, proven }: Grounds,
  c: VerificationContext,
): Promise<Vouched> {
  const { content } = evidence;
  const { thing, key } = itemAt(verified, 0);
  const vouched =
    anchor && content.kind === 'bundle'
      ? (await anchor.library()).vouch(content.bundle, thing, key.key)
      : { times: [], strangers: [], identity: null };
  const times = vouched.times.map(({ timeMs }) => timeMs);
  checkLogWindows(proven.flat(), times.length > 0 ? times : [c.nowMs]);
  return vouched;
}

/** The first root under which the times are proven as well: a proof under one root is never completed by another. */
export async function vouchedUnderOne(
  evidence: Evidence,
  verified: Verified[],
  grounds: Grounds[],
  c: VerificationContext,
): Promise<Grounds & { vouched: Vouched }> {
  let refusal: unknown;
  for (const one of grounds) {
    try {
      return { ...one, vouched: await checkTimes(evidence, verified, one, c) };
    } catch (error) {
      refusal ??= error;
    }
  }
  throw refusal;
}
