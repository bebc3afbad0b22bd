/** reenact doctor. */
import type { Command } from '../command.ts';
import { json, SANDBOXES } from '../common-options.ts';

export const command: Command = {
  usage: ['[--json | --jsonl] [--without MECHANISM]...'],
  help: `Looks at the container engine and says what replays can rely on here: the
processor, the mechanisms of full determinism, what is degraded, and what to do
about it. Where no replay is possible, says what works all the same, with exit
status 3.`,
  options: {
    ...SANDBOXES,
    ...json('the findings'),
  },
  run: async (a) => (await import('../actions/doctor.ts')).doctorCommand(a),
};
