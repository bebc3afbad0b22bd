/** reenact diff. */
import { type Command, text } from '../command.ts';
import { json } from '../common-options.ts';

export const command: Command = {
  usage: ['A B [--json | --jsonl] [--store DIR]'],
  help: `A and B are records that reenact run wrote (record.json, or one of its
replays/N.json), or digests of states kept in the store. Shows every
difference. Exit status 0 if the states are the same, 1 if not.`,
  options: {
    ...json('the differences'),
    store: text('DIR', 'where states are kept (default: beside the record, or .reenact)'),
  },
  examples: [
    String.raw`reenact diff .reenact/runs/ID/replays/000001.json \
    .reenact/runs/ID/replays/000002.json`,
  ],
  run: async (a) => (await import('../actions/diff.ts')).diffCommand(a),
};
