/** reenact bundle custody log. */
import { type Command, flag, list } from '../../../command.ts';

export const command: Command = {
  usage: ['FILE [--receipt N:SHA] [--json]'],
  help: `Prints the events of a bundle, each with its receipt, and what is wrong with
them.`,
  options: {
    receipt: list('N:SHA', 'an event you were shown: it must be in the chain (repeatable)'),
    json: flag('print the events as JSON'),
  },
  run: async (a) => (await import('../../../actions/bundle/custody/log.ts')).logEvents(a),
};
