/** reenact policy init. */
import { type Command, flag, oneOf, text } from '../../command.ts';
import { KEY_ALGORITHMS } from '../../common-options.ts';

export const command: Command = {
  usage: ['[BUNDLE] [--key PUBLIC] [OPTIONS]'],
  help: `Writes the policy that accepts exactly who signed the example bundle, from the
repository that its certificate names, or a public key. Nothing is written of an
example that could not be verified.`,
  options: {
    key: text('PUBLIC', 'a public key: PEM, DER or JWK'),
    alg: oneOf(KEY_ALGORITHMS, 'ALGORITHM', 'what the key is used with; an RSA key needs it'),
    artifact: text('FILE', 'the file that the example signs, if it signs a file'),
    'trust-root': text('FILE', "a trusted_root.json of one's own instance"),
    unverified: flag('write it though the example could not be verified'),
    out: text('FILE', 'where to write the policy (default: stdout)', { short: 'o' }),
    force: flag('replace a file that is there already'),
  },
  examples: ['reenact policy init app.sigstore.json --out policy.yaml'],
  run: async (a) => (await import('../../actions/policy/init.ts')).initPolicy(a),
};
