/** The last check: whether the one who signed is somebody the policy names, at that time and with that transparency. */
import type { X509Certificate } from 'node:crypto';

import type { Circumstances } from './circumstances.ts';
import { matchIdentity } from './identity.ts';
import { variantsOf } from './keys.ts';
import type { ProvenEntry } from './log/prove.ts';
import type { Signer } from './record.ts';
import { Refusal } from './refusal.ts';
import type { Verified } from './signature.ts';
import type { Vouched } from './sigstore.ts';
import type { TrustedAuthority } from './trust.ts';
import { covers } from './trusted-root.ts';

const EKU_CODE_SIGNING = '1.3.6.1.5.5.7.3.3';

/** Refuses a certificate that was issued for something else, such as a web server. */
export function checkPurpose(certificate: X509Certificate): void {
  if (certificate.ca || !certificate.keyUsage?.includes(EKU_CODE_SIGNING))
    throw new Refusal(
      'identity_certificate',
      'the certificate is not one for signing code (extended key usage)',
    );
}

/** Refuses a key that was used outside its window or after it was revoked; without a proven time, now counts. */
function checkKeyWindow(authority: TrustedAuthority, timesMs: number[], nowMs: number): void {
  const { id, window, revokedMs } = authority;
  for (const ms of timesMs.length > 0 ? timesMs : [nowMs]) {
    const at = `${new Date(ms).toISOString()}${timesMs.length > 0 ? '' : ' (now: no time is proven)'}`;
    if (revokedMs !== null && ms >= revokedMs)
      throw new Refusal(
        'trust_key_revoked',
        `the key of ${id} was revoked at ${new Date(revokedMs).toISOString()}, and the signature is of ${at}`,
      );
    if (!covers(window, ms)) throw new Refusal('time_outside', `the key of ${id} is not valid at ${at}`);
  }
}

function checkDemands(authority: TrustedAuthority, vouched: Vouched, entries: ProvenEntry[]): void {
  const proven = entries.some(({ kind }) => kind === 'proof');
  if (authority.transparency === 'required' && !proven)
    throw new Refusal(
      'log_missing',
      `${authority.id} needs a proof of inclusion in a log, and there is none`,
    );
  if (authority.transparency === 'promise' && entries.length === 0)
    throw new Refusal('log_missing', `${authority.id} needs a log’s promise or proof, and there is none`);
  const vouchers = new Set(vouched.times.map(({ by }) => by)).size;
  if (vouchers < authority.minTimes)
    throw new Refusal(
      'time_missing',
      `${authority.id} needs ${authority.minTimes} times, each by another, and there are ${vouchers}`,
    );
}

function strangers(vouched: Vouched, c: Circumstances): Refusal {
  const { identity } = vouched;
  if (!identity) return new Refusal('identity_unknown', 'no authority of the policy has this key');
  const who = `it is signed by ${identity.subject} (issuer ${identity.issuer})`;
  return c.trust.authorities.some(({ keyless }) => keyless)
    ? new Refusal('identity_mismatch', `${who}, whom no authority of the policy names`)
    : new Refusal('identity_unknown', `${who}, and the policy names keys only`);
}

/** The authorities that a verified signature counts for, each with all it demands, or the reason why there is none. */
export function matchSigners(
  verified: Verified,
  vouched: Vouched,
  entries: ProvenEntry[],
  c: Circumstances,
): Signer[] {
  const { identity } = vouched;
  const { algorithm, fingerprint } = verified.key;
  const matching = c.trust.authorities.filter((authority) =>
    identity
      ? authority.keyless && matchIdentity(authority.keyless, identity)
      : authority.key?.fingerprint === fingerprint &&
        variantsOf(authority.key).some((one) => one.algorithm === algorithm),
  );
  let refusal: unknown = strangers(vouched, c);
  const signers = matching.flatMap((authority): Signer[] => {
    try {
      if (!identity)
        checkKeyWindow(
          authority,
          vouched.times.map(({ timeMs }) => timeMs),
          c.nowMs,
        );
      checkDemands(authority, vouched, entries);
      const { subject = null, issuer = null } = identity ?? {};
      return [
        { authority: authority.id, identity: subject, issuer, algorithm, key_fingerprint: fingerprint },
      ];
    } catch (error) {
      refusal = error;
      return [];
    }
  });
  if (signers.length === 0) throw refusal;
  return signers;
}
