/** reenact sign. */
import { type Command, flag, oneOf, text } from '../command.ts';
import { SIGNING_ALGORITHMS } from '../common-options.ts';

export const command: Command = {
  usage: ['FILE|MANIFEST --key K [OPTIONS]'],
  help: `Writes an in-toto statement about the file in a DSSE envelope. A replay manifest
is given a dsse_envelope field that names it.`,
  options: {
    key: text(
      'K',
      'a private key: PEM or JWK (openssl genpkey makes one); REENACT_KEY_PASSPHRASE opens an encrypted one',
    ),
    alg: oneOf(SIGNING_ALGORITHMS, 'ALGORITHM', "what the key is used with (RSA's default: rsa-pss-sha256)"),
    out: text('FILE', 'the envelope (default: FILE without .json, and .dsse.json)', { short: 'o' }),
    force: flag('replace an envelope that is there already, and the one that a manifest names'),
    provenance: text(
      'P',
      'the predicate that a build wrote, SLSA provenance v1 as JSON (default: that it was signed by hand)',
    ),
  },
  run: async (a) => (await import('../actions/sign.ts')).signCommand(a),
};
