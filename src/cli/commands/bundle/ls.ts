/** reenact bundle ls. */
import { type Command, flag } from '../../command.ts';

export const command: Command = {
  usage: ['FILE [--json]'],
  help: `Lists what is inside: role, size, digest, name. Exit status 2 where form or
digests are not those of a bundle; bundle verify checks what it claims.`,
  options: {
    json: flag('print all that the bundle says of its contents, as JSON'),
  },
  run: async (a) => (await import('../../actions/bundle/ls.ts')).listBundle(a),
};
