/** Whose word counts: a policy that names signers, and the keys and roots behind it. */
import { Fault } from '../base/fault.ts';
import { loadTrust, type Trust } from '../evidence/trust/trust.ts';
import type { Policy } from '../policy/policy.ts';
import type { PolicyInput, Session } from './session.ts';

/** The policy of a call or of the session, which must name signers: evidence is only worth as much as they are. */
export async function signersPolicy(session: Session, given: PolicyInput | undefined): Promise<Policy> {
  const policy = await session.policy(given);
  if (!policy) throw new Fault('usage', 'name a policy: --policy P (reenact policy init makes one)');
  if (policy.authorities.length === 0)
    throw new Fault(
      'usage',
      `the policy ${policy.name} names no authority that may sign: reenact policy init makes one that does`,
    );
  return policy;
}

/** The keys and roots of that policy. */
export async function signersTrust(session: Session, given: PolicyInput | undefined): Promise<Trust> {
  return loadTrust(await signersPolicy(session, given));
}
