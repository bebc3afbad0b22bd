/** What a policy comes to: checked with all that it names, in words, and with what its author may not have meant. */
import { systemClock } from '../base/clock.ts';
import { Fault } from '../base/fault.ts';
import { Refusal } from '../evidence/common/refusal.ts';
import { loadTrust } from '../evidence/trust/trust.ts';
import type { Policy } from '../policy/policy.ts';
import { explainPolicy, policyWarnings } from '../report/policy.ts';
import type { PolicyInput, Session } from './session.ts';

/** A policy that is of its form, and whose keys and roots can be read. */
export interface ExaminedPolicy {
  policy: Policy;
  /** In words, of several lines. */
  explanation: string;
  /** What its author may not have meant. */
  warnings: string[];
}

/** Loads a policy with all that it names; what is wrong with it is Fault `policy_invalid`. */
export async function examinePolicy(session: Session, given?: PolicyInput): Promise<ExaminedPolicy> {
  const policy = await session.judge(given);
  const trust = loadTrust(policy);
  try {
    if (policy.trustRoots.some(({ file }) => file) || trust.authorities.some(({ keyless }) => keyless))
      await Promise.all(trust.anchors.map((anchor) => anchor.library()));
  } catch (error) {
    if (error instanceof Refusal)
      throw new Fault('policy_invalid', `${policy.name}: ${error.message}`, error, error.next);
    throw error;
  }
  return {
    policy,
    explanation: explainPolicy(policy, trust.authorities),
    warnings: policyWarnings(policy, trust.authorities, systemClock.now()),
  };
}
