/** reenact trace audit. */
import { type Command, text } from '../../command.ts';
import { json, policy } from '../../common-options.ts';

export const command: Command = {
  usage: ['TRACE [OPTIONS]'],
  help: `Prints every frame in its place, with the symbols, the artifact and the signed
provenance it is joined to, or why it is not; then judges the gates: at least
95 % (gates.join_completeness of the policy) of the first 50 frames of the
thread that crashed are joined, and each join bears signer, time and log entry
(gates.chain_of_custody). Exit status 1 where a gate fails.`,
  options: {
    policy: policy(
      'check all evidence again, under this policy (default: as it was accepted when it was added)',
    ),
    store: text('DIR', 'the store (default: .reenact, REENACT_DATABASE_URL)'),
    ...json('it'),
  },
  run: async (a) => (await import('../../actions/trace/store.ts')).traceAudit(a),
};
