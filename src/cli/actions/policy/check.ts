/** reenact policy check and explain: what a policy comes to. */
import { systemClock } from '../../../base/clock.ts';
import { EXIT, Fault } from '../../../base/fault.ts';
import { Refusal } from '../../../evidence/common/refusal.ts';
import { loadTrust } from '../../../evidence/trust/trust.ts';
import { loadPolicy } from '../../../policy/policy.ts';
import { explainPolicy, policyWarnings } from '../../../report/policy.ts';
import type { Arguments } from '../../arguments.ts';
import { onePositional } from '../../shared/positionals.ts';

async function examine(a: Arguments, how: 'check' | 'explain'): Promise<number> {
  const name = onePositional(a, `policy to ${how}`);
  const policy = await loadPolicy(name);
  const trust = loadTrust(policy);
  try {
    if (policy.trustRoots.some(({ file }) => file) || trust.authorities.some(({ keyless }) => keyless))
      await Promise.all(trust.anchors.map((anchor) => anchor.library()));
  } catch (error) {
    if (error instanceof Refusal)
      throw new Fault('policy_invalid', `${name}: ${error.message}`, error, error.next);
    throw error;
  }
  const warnings = policyWarnings(policy, trust.authorities, systemClock.now());
  if (how === 'explain') process.stdout.write(explainPolicy(policy, trust.authorities));
  else process.stdout.write(`${name}: ok, ${policy.sha256}\n`);
  for (const warning of warnings) process.stdout.write(`  note: ${warning}\n`);
  return EXIT.ok;
}

export function checkPolicy(a: Arguments): Promise<number> {
  return examine(a, 'check');
}

export function explainPolicyCommand(a: Arguments): Promise<number> {
  return examine(a, 'explain');
}
