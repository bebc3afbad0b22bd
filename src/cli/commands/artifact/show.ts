/** reenact artifact show. */
import { type Command, text } from '../../command.ts';
import { json } from '../../common-options.ts';

export const command: Command = {
  usage: ['DIGEST|FILE [OPTIONS]'],
  help: `Prints an artifact of the store: who signed what about it, the build that they
name, and what lies in it. Six digits of its digest are enough, also of a
program that lies in another; a file is looked for by its digest.`,
  options: {
    store: text('DIR', 'the store (default: .reenact, REENACT_DATABASE_URL)'),
    ...json('it'),
  },
  run: async (a) => (await import('../../actions/stored.ts')).showArtifact(a),
};
