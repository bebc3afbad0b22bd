/** reenact trace add. */
import { type Command, text } from '../../command.ts';
import { json, PROGRAMS } from '../../common-options.ts';

export const command: Command = {
  usage: ['FILE... [OPTIONS]'],
  help: `Adds traces of any form that trace show reads, and prints the id of each: the
digest of its content. One that is there already is left as it is.`,
  options: {
    ...PROGRAMS,
    manifest: text(
      'M',
      'the replay manifest that reproduces it (one trace only); of a record that was made in this store, its own',
    ),
    store: text(
      'DIR',
      'where to keep it (default: .reenact; its database is the one that REENACT_DATABASE_URL names, if any)',
    ),
    ...json('each trace'),
  },
  examples: ['reenact trace add core.4711 --manifest crash.json'],
  run: async (a) => (await import('../../actions/trace/store.ts')).traceAdd(a),
};
