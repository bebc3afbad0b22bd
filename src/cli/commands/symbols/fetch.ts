/** reenact symbols fetch. */
import { type Command, text } from '../../command.ts';
import { json } from '../../common-options.ts';

export const command: Command = {
  usage: ['BUILD-ID... --debuginfod URL --out DIR'],
  help: `Asks one debuginfod server for the debug information of these builds (ELF), and
writes what is of the very build that was asked for to DIR, with its SHA-256 in
DIR/SHA256SUMS. It is no evidence: attest the file, then add it. Nothing else
in reenact asks such a server. Exit status 1: the server lacks one of them.`,
  options: {
    debuginfod: text('URL', 'the server: https, or http on this machine'),
    out: text('DIR', 'a folder, made if it is not there, that symbols add reads', { short: 'o' }),
    ...json('what became of each build'),
  },
  examples: [
    String.raw`reenact symbols fetch 8e5ad7a69f4e4bdd2a7a4b1d8e2b0d2d7f6c1a55 \
    --debuginfod https://debuginfod.example --out symbols`,
  ],
  run: async (a) => (await import('../../actions/symbols/fetch.ts')).symbolsFetch(a),
};
