/** reenact bundle ls. */
import type { Command } from '../../command.ts';
import { json } from '../../common-options.ts';

export const command: Command = {
  usage: ['FILE [--json | --jsonl]'],
  help: `Lists what is inside: role, size, digest, name. Exit status 2 where form or
digests are not those of a bundle; bundle verify checks what it claims.`,
  options: {
    ...json('all that the bundle says of its contents'),
  },
  run: async (a) => (await import('../../actions/bundle/ls.ts')).listBundle(a),
};
