/** reenact trace gaps. */
import { type Command, text } from '../../command.ts';
import { json, policy } from '../../common-options.ts';

export const command: Command = {
  usage: ['TRACE [OPTIONS]'],
  help: `Says for each frame or image that is not joined what was expected, what is
there instead, and what closes it; the worst first. Exit status 1 where there
are any.`,
  options: {
    policy: policy('check all evidence again, under this policy'),
    store: text('DIR', 'the store (default: .reenact, REENACT_DATABASE_URL)'),
    ...json('it'),
  },
  run: async (a) => (await import('../../actions/trace/store.ts')).traceGaps(a),
};
