/** reenact bundle custody add. */
import { type Command, list, oneOf, text } from '../../../command.ts';

export const command: Command = {
  usage: ['FILE --key K --action A [OPTIONS]'],
  help: `Signs an event about the bundle: who had it in hand, and what was done. Keep the
receipt that is printed: with it, a chain that was cut off behind your event
shows.`,
  options: {
    key: text('K', 'an Ed25519 private key'),
    action: oneOf(
      ['exported', 'received', 'reviewed', 'redacted'],
      'A',
      'exported, received, reviewed or redacted',
    ),
    actor: text('NAME', 'who, for people'),
    reason: text('TEXT', 'why'),
    receipt: list('N:SHA', 'an event you were shown: it must be in the chain (repeatable)'),
    out: text('FILE', 'write another file instead of this one', { short: 'o' }),
  },
  run: async (a) => (await import('../../../actions/bundle/custody/add.ts')).addEvent(a),
};
