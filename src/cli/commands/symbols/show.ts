/** reenact symbols show. */
import { type Command, text } from '../../command.ts';
import { json } from '../../common-options.ts';

export const command: Command = {
  usage: ['DIGEST|BUILD-ID|FILE [OPTIONS]'],
  help: `Prints a symbol file of the store, and who signed it. Six digits of its digest
or its build-id are enough; of several symbol files of one build it is the best.
A file is looked for by its digest (reenact symbols id reads any file).`,
  options: {
    store: text('DIR', 'the store (default: .reenact, REENACT_DATABASE_URL)'),
    ...json('it'),
  },
  run: async (a) => (await import('../../actions/stored.ts')).showSymbols(a),
};
