/** reenact symbols ls. */
import { type Command, text } from '../../command.ts';
import { json } from '../../common-options.ts';

export const command: Command = {
  usage: ['[--json | --jsonl] [--store DIR]'],
  help: `Lists the symbol files of the store: the beginning of their digest, format,
processor, quality, the id of the build and the name.`,
  options: {
    store: text('DIR', 'the store (default: .reenact, REENACT_DATABASE_URL)'),
    ...json('the symbol files'),
  },
  run: async (a) => (await import('../../actions/stored.ts')).listSymbols(a),
};
