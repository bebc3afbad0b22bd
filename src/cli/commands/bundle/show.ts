/** reenact bundle show. */
import type { Command } from '../../command.ts';
import { json } from '../../common-options.ts';

export const command: Command = {
  usage: ['FILE [--json | --jsonl]'],
  help: `Says at a glance what a bundle is: identity, record, contents by role, events,
what was withheld. Checks form and digests only.`,
  options: {
    ...json('it'),
  },
  run: async (a) => (await import('../../actions/bundle/show.ts')).showBundle(a),
};
