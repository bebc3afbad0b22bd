/** reenact policy explain. */
import type { Command } from '../../command.ts';

export const command: Command = {
  usage: ['P'],
  help: `Puts a policy in words, with what it leaves open. P is a file, or a built-in
policy: default or forensic.`,
  options: {},
  run: async (a) => (await import('../../actions/policy/check.ts')).explainPolicyCommand(a),
};
