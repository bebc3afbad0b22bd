/** reenact bundle redact. */
import { type Command, list, text } from '../../command.ts';

export const command: Command = {
  usage: [
    `FILE --drop PATTERN... --reason TEXT
         --key K --secret FILE --out FILE [--actor NAME]`,
  ],
  help: `Writes a new bundle without the contents that fit a pattern. In its records
their digests become commitments, an HMAC under the case secret: a holder of the
content and the secret can show that it was this one; others cannot guess it.
Evidence that would give a dropped digest away is taken out as well. The new
bundle names the one it was made of, which stays as it is.`,
  options: {
    drop: list(
      'PATTERN',
      'what to take out (repeatable): input/PATH, stdout, stderr, or files/PATH, which the program wrote; * within a name, ** across folders. The same bytes under another name go too. trace-source is the file a trace was read from, such as a core; trace is all that belongs to the trace.',
    ),
    reason: text('TEXT', 'why, signed'),
    actor: text('NAME', 'who redacts, for people'),
    key: text('K', 'an Ed25519 private key: the redaction is signed'),
    secret: text(
      'FILE',
      'the case secret, 64 hex digits; made when there is no such file. Keep it: without it nothing can be shown later.',
    ),
    out: text('FILE', 'the bundle to write; never over a file that is there', { short: 'o' }),
  },
  examples: [
    String.raw`reenact bundle redact case.tar --drop 'files/home/**' --reason privacy \
  --key lab.pem --secret case.secret --out redacted.tar`,
  ],
  run: async (a) => (await import('../../actions/bundle/redact.ts')).redactCommand(a),
};
