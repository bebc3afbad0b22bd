/** reenact bundle replay. */
import { type Command, list, text } from '../../command.ts';
import { json, SANDBOXES } from '../../common-options.ts';

export const command: Command = {
  usage: ['FILE [OPTIONS]'],
  help: `Needs an engine and the file: replays what is inside, in the image that is
inside, and compares the states. Exit status 0 if they are the same.`,
  options: {
    replays: text('N', 'replays (default: as many as recorded)'),
    jobs: text('N', 'replays at once (default: 4)'),
    'trust-harness': list('DIGEST', "run a harness that is not this release's (repeatable)"),
    ...SANDBOXES,
    ...json('the result'),
  },
  run: async (a) => (await import('../../actions/bundle/replay.ts')).replayBundle(a),
};
