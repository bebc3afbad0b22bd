/** reenact diff. */
import { type Command, flag, text } from '../command.ts';

export const command: Command = {
  usage: ['A B [--json] [--store DIR]'],
  help: `A and B are records that reenact run wrote (record.json, or one of its
replays/N.json), or digests of states kept in the store. Shows every
difference. Exit status 0 if the states are the same, 1 if not.`,
  options: {
    json: flag('print the differences as JSON'),
    store: text('DIR', 'where states are kept (default: beside the record, or .reenact)'),
  },
  examples: [
    String.raw`reenact diff .reenact/runs/ID/replays/000001.json \
    .reenact/runs/ID/replays/000002.json`,
  ],
  run: async (a) => (await import('../actions/diff.ts')).diffCommand(a),
};
