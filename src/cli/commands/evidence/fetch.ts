/** reenact evidence fetch. */
import { type Command, text } from '../../command.ts';
import { policy } from '../../common-options.ts';

export const command: Command = {
  usage: ['REF --log URL --policy P [--store DIR]'],
  help: `Fetches the proof of a log entry (rekor:... or just its index) from a tiled log,
verifies it, and keeps it. The only command about evidence that uses the
network. A checkpoint that is older than one seen before, or does not agree with
it, is refused; what shows two histories is kept.`,
  options: {
    log: text('URL', 'the log, as C2SP tlog-tiles serves it'),
    policy: policy("whose trust.logs or trust root has the log's key"),
    store: text('DIR', "the evidence store (default: evidence in the user's cache folder)"),
  },
  examples: ['reenact evidence fetch 4711 --log https://log.example.org --policy policy.yaml'],
  run: async (a) => (await import('../../actions/evidence/fetch.ts')).fetchEvidence(a),
};
