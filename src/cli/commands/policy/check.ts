/** reenact policy check. */
import type { Command } from '../../command.ts';

export const command: Command = {
  usage: ['P'],
  help: `Reads a policy and everything it names, and says what is wrong with it. P is a
file, or a built-in policy: default or forensic.`,
  options: {},
  run: async (a) => (await import('../../actions/policy/check.ts')).checkPolicy(a),
};
