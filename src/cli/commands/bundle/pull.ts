/** reenact bundle pull. */
import { type Command, text } from '../../command.ts';

export const command: Command = {
  usage: ['HOST/REPOSITORY@sha256:... --out FILE', 'HOST/REPOSITORY:TAG --out FILE'],
  help: `Gets a bundle from a registry, byte for byte as it was pushed, with everything
that was attached to it since, and verifies it. FILE is there only when all of
it is. Until then parts lie in a folder beside it, .FILE.part, from which the
same command goes on.

A tag is no identity: every account that may push can move it.`,
  options: {
    out: text('FILE', 'the bundle to write; never over a file that is there', { short: 'o' }),
  },
  run: async (a) => (await import('../../actions/bundle/registry.ts')).pullCommand(a),
};
