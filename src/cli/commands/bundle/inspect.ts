/** reenact bundle inspect. */
import { type Command, flag } from '../../command.ts';

export const command: Command = {
  usage: ['FILE [--json]'],
  help: `Says at a glance what a bundle is: identity, record, contents by role, events,
what was withheld. Checks form and digests only.`,
  options: {
    json: flag('print it as JSON'),
  },
  run: async (a) => (await import('../../actions/bundle/inspect.ts')).inspectBundle(a),
};
