/** reenact policy check and explain: what a policy comes to. */
import { EXIT } from '../../../base/fault.ts';
import type { Arguments } from '../../arguments.ts';
import { withReenact } from '../../shared/door.ts';
import { onePositional } from '../../shared/positionals.ts';

async function examine(a: Arguments, how: 'check' | 'explain'): Promise<number> {
  const name = onePositional(a, `policy to ${how}`);
  const { policy, explanation, warnings } = await withReenact({}, (reenact) => reenact.examinePolicy(name));
  process.stdout.write(how === 'explain' ? explanation : `${name}: ok, ${policy.sha256}\n`);
  for (const warning of warnings) process.stdout.write(`  note: ${warning}\n`);
  return EXIT.ok;
}

export function checkPolicy(a: Arguments): Promise<number> {
  return examine(a, 'check');
}

export function explainPolicyCommand(a: Arguments): Promise<number> {
  return examine(a, 'explain');
}
