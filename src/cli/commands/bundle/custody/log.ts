/** reenact bundle custody log. */
import { type Command, list } from '../../../command.ts';
import { json } from '../../../common-options.ts';

export const command: Command = {
  usage: ['FILE [--receipt N:SHA] [--json | --jsonl]'],
  help: `Prints the events of a bundle, each with its receipt, and what is wrong with
them.`,
  options: {
    receipt: list('N:SHA', 'an event you were shown: it must be in the chain (repeatable)'),
    ...json('the events'),
  },
  run: async (a) => (await import('../../../actions/bundle/custody/log.ts')).logEvents(a),
};
