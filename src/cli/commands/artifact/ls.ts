/** reenact artifact ls. */
import { type Command, text } from '../../command.ts';
import { json } from '../../common-options.ts';

export const command: Command = {
  usage: ['[--json | --jsonl] [--store DIR]'],
  help: `Lists the artifacts of the store that were added themselves: the beginning of
their digest, kind, size in bytes, whether a signature about them was accepted,
and the name.`,
  options: {
    store: text('DIR', 'the store (default: .reenact, REENACT_DATABASE_URL)'),
    ...json('the artifacts'),
  },
  run: async (a) => (await import('../../actions/stored.ts')).listArtifacts(a),
};
