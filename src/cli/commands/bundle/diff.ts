/** reenact bundle diff. */
import type { Command } from '../../command.ts';
import { json } from '../../common-options.ts';

export const command: Command = {
  usage: ['A B [--json | --jsonl]'],
  help: `Says in what two bundles differ: what their records say, what is inside, and
the final states that count. Times, durations and places are not compared. Exit
status 0 if they say the same, 1 if not, 2 if one is refused.`,
  options: {
    ...json('the differences, each with where, a and b'),
  },
  run: async (a) => (await import('../../actions/bundle/diff.ts')).diffTwo(a),
};
