/** reenact policy init, check and explain: a first policy from an example, and what a policy comes to. */
import { systemClock } from '../base/clock.ts';
import { EXIT, Fault } from '../base/fault.ts';
import { Refusal } from '../evidence/common/refusal.ts';
import { loadTrust } from '../evidence/trust/trust.ts';
import { loadPolicy } from '../policy/policy.ts';
import { explainPolicy, policyWarnings } from '../report/policy.ts';
import type { Arguments } from './options.ts';
import { parseOptions } from './options.ts';
import { initPolicy } from './policy-init.ts';

async function examine(a: Arguments, how: 'check' | 'explain'): Promise<number> {
  const [name, ...more] = a.positionals;
  if (name === undefined || more.length > 0) throw new Fault('usage', `name one policy to ${how}`);
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

export async function policyCommand(args: string[]): Promise<number> {
  const [verb = '', ...rest] = args;
  const a = parseOptions('policy', rest);
  if (verb === 'init') return initPolicy(a);
  if (verb === 'check' || verb === 'explain') return examine(a, verb);
  throw new Fault('usage', 'policy init, policy check or policy explain');
}
