/** reenact symbols add. */
import { type Command, list, text } from '../../command.ts';
import { json, policy } from '../../common-options.ts';

export const command: Command = {
  usage: ['FILE|DIR... --evidence E --policy P [OPTIONS]'],
  help: `Adds symbol files, each only with an accepted attestation of exactly its bytes,
and names what earlier traces have in them. A folder may be of any layout
(.build-id, symbol server, debuginfod, dSYM); a file that is not what its path
says is refused. Of several symbol files of one build the best is used.`,
  options: {
    evidence: list('E', 'a file of evidence, or a folder of them (repeatable)'),
    policy: policy('whose word counts'),
    store: text(
      'DIR',
      'where to keep it (default: .reenact; its database is the one that REENACT_DATABASE_URL names, if any)',
    ),
    ...json('what became of each file'),
  },
  examples: [
    String.raw`reenact symbols add app.debug --evidence app.debug.dsse.json \
    --policy policy.yaml`,
  ],
  run: async (a) => (await import('../../actions/symbols/add.ts')).symbolsAdd(a),
};
