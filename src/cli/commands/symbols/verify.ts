/** reenact symbols verify. */
import { type Command, list } from '../../command.ts';
import { json, policy } from '../../common-options.ts';

export const command: Command = {
  usage: ['FILE --policy P [OPTIONS]'],
  help: `Exit status 0 only with an accepted attestation of exactly this file's digest,
else 2. Looks beside the file for FILE.dsse.json, FILE.sigstore.json,
FILE.intoto.jsonl and FILE.sigstore.`,
  options: {
    policy: policy('whose attestation counts'),
    evidence: list('FILE', 'an attestation (repeatable; then none is looked for)'),
    ...json('the whole record'),
  },
  run: async (a) => (await import('../../actions/symbols/verify.ts')).verifySymbols(a),
};
