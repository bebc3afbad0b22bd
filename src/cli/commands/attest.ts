/** reenact attest. */
import { type Command, flag, oneOf, text } from '../command.ts';
import { SIGNING_ALGORITHMS } from '../common-options.ts';

export const command: Command = {
  usage: ['RECORD.json --key K [OPTIONS]'],
  help: `Signs the verdict of a replay as an in-toto test result: PASSED, WARNED (flaky
or degraded) or FAILED. A run that came to no verdict cannot be attested.`,
  options: {
    key: text('K', 'a private key: PEM or JWK'),
    alg: oneOf(SIGNING_ALGORITHMS, 'ALGORITHM', "what the key is used with (RSA's default: rsa-pss-sha256)"),
    out: text('FILE', 'the envelope (default: RECORD.dsse.json)', { short: 'o' }),
    force: flag('replace a file that is there already'),
  },
  run: async (a) => (await import('../actions/sign.ts')).attestCommand(a),
};
