/** The last check: whether the policy names the signer, for that time and with that transparency. */
import type { X509Certificate } from 'node:crypto';
import { itemAt, present } from '../../base/list.ts';
import { variantsOf } from '../common/keys.ts';
import { Refusal } from '../common/refusal.ts';
import type { Signer } from '../documents/record.ts';
import type { Identity } from '../trust/certificate.ts';
import { type Misfit, matchIdentity, misfits, openFields } from '../trust/identity.ts';
import type { Vouched } from '../trust/sigstore.ts';
import type { TrustedAuthority } from '../trust/trust.ts';
import { covers } from '../trust/trusted-root.ts';
import type { VerificationContext } from './context.ts';
import type { ProvenEntry } from './log-entry.ts';
import { ADD_KEY, type Verified } from './signature.ts';

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
      undefined,
      entries.length > 0
        ? `get the bundle with its inclusion proof; or, if a log’s promise alone will do, write transparency: promise for ${authority.id}`
        : `get the evidence as a bundle with its log entry; or, if no log is wanted, write transparency: none for ${authority.id}`,
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

/** One difference in words; texts of the certificate are the signer's choice, and are cut. */
function differs({ field, wanted, actual }: Misfit): string {
  return `${field} ${wanted}, not ${actual === null ? 'none' : actual.slice(0, 300)}`;
}

/** Why no authority of the policy matches, by the one that came nearest, and what would have to be changed there. */
function nearest(identity: Identity, authorities: TrustedAuthority[]): Refusal {
  const tried = authorities.flatMap(({ id, keyless }) =>
    keyless ? [{ id, found: misfits(keyless, identity) }] : [],
  );
  // The right identity in another build, or from another issuer, is nearer than any other.
  const distance = ({ found }: { found: Misfit[] }): number =>
    found.reduce((sum, { field }) => sum + (field === 'subject' ? 100 : field === 'issuer' ? 50 : 1), 0);
  const { id, found } = itemAt(
    tried.sort((a, b) => distance(a) - distance(b)),
    0,
  );
  const has = (field: Misfit['field']): boolean => found.some((one) => one.field === field);
  const by = identity.issuer === null ? 'and its certificate names no issuer' : `issuer ${identity.issuer}`;
  const message = `it is signed by ${identity.subject} (${by}); the nearest authority, ${id}, wants ${found.map(differs).join('; ')}`;
  if (has('subject')) return new Refusal('identity_mismatch', message);
  if (has('issuer') && identity.issuer === null)
    return new Refusal(
      'identity_issuer',
      message,
      undefined,
      `if you trust its certificate authority by itself, write noIssuer: true in the place of issuer in ${id}.keyless`,
    );
  if (has('issuer')) return new Refusal('identity_issuer', message);
  const fields = found.map(
    ({ field, actual }) => `${field}${actual === null ? '' : `: ${JSON.stringify(actual.slice(0, 300))}`}`,
  );
  return new Refusal(
    'identity_build',
    message,
    undefined,
    found.some(({ actual }) => actual === null)
      ? `the certificate does not say ${present(found.find(({ actual }) => actual === null)).field}: leave that field out of ${id}.keyless, or get evidence that says it`
      : `only if that is meant, too, name it in ${id}.keyless of the policy: ${fields.join(', ')}`,
  );
}

function strangers({ identity }: Vouched, c: VerificationContext): Refusal {
  if (!identity)
    return new Refusal('identity_unknown', 'no authority of the policy has this key', undefined, ADD_KEY);
  if (c.trust.authorities.some(({ keyless }) => keyless)) return nearest(identity, c.trust.authorities);
  return new Refusal(
    'identity_unknown',
    `it is signed by ${identity.subject} (issuer ${identity.issuer ?? 'none'}), and the policy names keys only`,
    undefined,
    'if you trust that identity, add it to the policy’s authorities: reenact policy init BUNDLE writes them',
  );
}

/** The authorities that a verified signature counts for, each with all it demands, or the reason why there is none. */
export function matchSigners(
  verified: Verified,
  vouched: Vouched,
  entries: ProvenEntry[],
  c: VerificationContext,
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
      const { subject = null, issuer = null, says = null } = identity ?? {};
      const key = { algorithm, key_fingerprint: fingerprint };
      const open = identity ? openFields(present(authority.keyless), identity) : [];
      return [{ authority: authority.id, identity: subject, issuer, ...key, certificate: says, open }];
    } catch (error) {
      refusal = error;
      return [];
    }
  });
  if (signers.length === 0) throw refusal;
  return signers;
}
