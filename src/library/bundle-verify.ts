/** Verifies a bundle, as its reader's policy, trust root and receipts demand, and certifies one that was accepted. */
import { systemClock } from '../base/clock.ts';
import { Fault } from '../base/fault.ts';
import { EVIDENCE_LIMITS } from '../base/limits.ts';
import { parseReceipt, type Receipt } from '../bundle/custody/event.ts';
import type { Demands } from '../bundle/verify/reader-policy.ts';
import { type BundleVerification, examineBundle } from '../bundle/verify/verify.ts';
import { loadTrust } from '../evidence/trust/trust.ts';
import { wantNewFolder, writeCertificate } from './certificate.ts';
import { readNamed } from './read-named.ts';
import type { PolicyInput, Session } from './session.ts';

/** What a bundle's reader brings; every field may be left out. */
export interface VerifyBundleOptions {
  /** Whose signatures are wanted, beside what the policy inside says. */
  policy?: PolicyInput | undefined;
  /** A file with a trust root that takes the place of the one inside. */
  trustRoot?: string | undefined;
  /** Custody events that were shown to the reader, as `NUMBER:sha256:…`: each must be in the chain. */
  receipts?: readonly (string | Receipt)[] | undefined;
  /** A new folder for a draft certification and a provenance view, written only of a bundle that is accepted. */
  certificate?: string | undefined;
}

/** Receipts of custody events that the reader holds. */
export function receiptsOf(given: readonly (string | Receipt)[] = []): Receipt[] {
  return given.map((one) => {
    const receipt = typeof one === 'string' ? parseReceipt(one) : one;
    if (!receipt) throw new Fault('usage', `a receipt (--receipt) is NUMBER:sha256:…, not "${one}"`);
    return receipt;
  });
}

async function demandsOf(session: Session, o: VerifyBundleOptions): Promise<Demands | undefined> {
  const policy = await session.policy(o.policy);
  if (!policy && o.trustRoot === undefined) return undefined;
  // What is wrong with the reader's own keys is a fault of the policy, not of the bundle.
  if (policy) loadTrust(policy);
  return {
    nowMs: systemClock.now(),
    ...(policy ? { policy } : {}),
    ...(o.trustRoot === undefined
      ? {}
      : {
          trustRoot: { path: o.trustRoot, bytes: await readNamed(o.trustRoot, EVIDENCE_LIMITS.fileBytes) },
        }),
  };
}

/** Verifies the bundle at `path` offline; what is wrong with it is in the result, never thrown. */
export async function verifyBundle(
  session: Session,
  path: string,
  o: VerifyBundleOptions = {},
): Promise<BundleVerification> {
  if (o.certificate !== undefined) wantNewFolder(o.certificate);
  const demands = await demandsOf(session, o);
  const examined = await examineBundle(path, { demands, receipts: receiptsOf(o.receipts) });
  if (o.certificate !== undefined && examined.verification.accepted)
    await writeCertificate(o.certificate, examined);
  return examined.verification;
}
