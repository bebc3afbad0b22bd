/** reenact evidence verify. */
import { type Command, list, text } from '../../command.ts';
import { json, policy } from '../../common-options.ts';

export const command: Command = {
  usage: ['FILE... --policy P [OPTIONS]'],
  help: `FILE is a Sigstore bundle, a DSSE envelope, a list of them (JSON or JSON Lines),
a tlog-proof, or a folder with a log's checkpoint and tiles. Nothing is asked of
the network. Exit status 0 verified, 2 rejected.`,
  options: {
    policy: policy('whose word counts (reenact policy init makes one)'),
    subject: list(
      'DIGEST',
      'it must be about this digest, or be its signature: sha256:..., sha384:... or sha512:... (repeatable); "any" compares nothing',
    ),
    artifact: text('FILE', 'it must be about this file, or be its signature'),
    manifest: text('M', 'it must be about this replay manifest'),
    reference: text('REF', 'the log entry that must be proven: rekor:...'),
    ...json('the whole record'),
  },
  examples: ['reenact evidence verify app.sigstore.json --artifact app --policy policy.yaml'],
  run: async (a) => (await import('../../actions/evidence/verify.ts')).verifyEvidenceCommand(a),
};
