/** reenact bundle verify. */
import { type Command, list, text } from '../../command.ts';
import { json, policy } from '../../common-options.ts';

export const command: Command = {
  usage: ['FILE [OPTIONS]'],
  help: `Needs nothing but the file: reads it once, decides again, verifies the evidence
again as of the time of the run, and says what is wrong.`,
  options: {
    policy: policy(
      'hold it against a policy of yours as well: its evidence, who signed the records, and the gates (exit status 1 where one fails)',
    ),
    'trust-root': text('R', 'your own trusted root instead of the one inside'),
    receipt: list('N:SHA', 'a custody event you were shown: it must be in the chain (repeatable)'),
    certificate: text(
      'DIR',
      'of a bundle that is accepted: a new folder with a draft certification for a US court and a CASE/UCO provenance view',
    ),
    ...json('the result'),
  },
  run: async (a) => (await import('../../actions/bundle/verify.ts')).verifyBundleCommand(a),
};
