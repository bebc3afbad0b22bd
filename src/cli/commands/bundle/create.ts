/** reenact bundle create. */
import { type Command, flag, list, oneOf, text } from '../../command.ts';
import { policy } from '../../common-options.ts';

export const command: Command = {
  usage: ['RECORD|DIR --out FILE [OPTIONS]', '--trace TRACE --out FILE [OPTIONS]'],
  help: `Packs a record with everything it rests on. The same record gives the same
bytes, on another machine and on another day.

With --trace: the record of the latest reproduction of a stored trace, and the
trace with its joined frames, symbol files, and all evidence about them and
about the shipped files. Reproduce it first: reenact reproduce TRACE.`,
  options: {
    out: text('FILE', 'the bundle to write; never over a file that is there', { short: 'o' }),
    state: oneOf(
      ['full', 'changed', 'none'],
      'HOW',
      'contents of final states: full (default), changed (only of states that differ from the reference) or none',
    ),
    trace: text('TRACE', 'a trace of the store, by its id or the beginning of it'),
    policy: policy('by which its frames are judged (default: that of the record)'),
    store: text(
      'DIR',
      'the folder the run wrote to (default: found from RECORD), or the store of traces (default: .reenact)',
    ),
    'with-image': flag('the sandbox image too, as its registry has it'),
    repository: list('R', 'where to look for the image (repeatable)'),
    sign: text(
      'KEY',
      'sign it as exported: the first event of its custody, with an Ed25519 key (REENACT_KEY_PASSPHRASE opens an encrypted one)',
    ),
    actor: text('NAME', 'who exports it, for people'),
    reason: text('TEXT', 'why'),
    timestamp: text('FILE', 'an RFC 3161 reply about the root manifest'),
  },
  run: async (a) => (await import('../../actions/bundle/create.ts')).createCommand(a),
};
