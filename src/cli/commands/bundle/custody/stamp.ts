/** reenact bundle custody stamp. */
import { type Command, list, text } from '../../../command.ts';

export const command: Command = {
  usage: ['FILE --timestamp REPLY [--out FILE]'],
  help: `Attaches the reply of a timestamp authority, about the root manifest or about an
event's envelope:
  openssl ts -query -data blobs/sha256/ROOT -sha256 -cert -out q.tsq`,
  options: {
    timestamp: text('FILE', "an RFC 3161 reply with the authority's certificates"),
    receipt: list('N:SHA', 'an event you were shown: it must be in the chain (repeatable)'),
    out: text('FILE', 'write another file instead of this one', { short: 'o' }),
  },
  run: async (a) => (await import('../../../actions/bundle/custody/stamp.ts')).stampBundle(a),
};
