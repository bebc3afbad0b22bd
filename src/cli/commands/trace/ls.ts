/** reenact trace ls. */
import { type Command, text } from '../../command.ts';
import { json } from '../../common-options.ts';

export const command: Command = {
  usage: ['[--json | --jsonl] [--store DIR]'],
  help: `Lists the traces of the store: the beginning of the id that other commands take,
signal, frames, the form it was read from, and what its latest reproduction came
to.`,
  options: {
    store: text('DIR', 'the store (default: .reenact, REENACT_DATABASE_URL)'),
    ...json('the traces'),
  },
  run: async (a) => (await import('../../actions/stored.ts')).listTraces(a),
};
