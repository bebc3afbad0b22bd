/** reenact init. */
import { type Command, flag } from '../command.ts';

export const command: Command = {
  usage: ['[FILE] [--force]'],
  help: `Writes a manifest (default: crash.json) with a blank for the image and the
command, and the usual value of all else, and prints what each field means. A
file that is there already is left as it is. Where the program can be run here,
reenact capture writes the whole manifest, with the ending to expect.`,
  options: {
    force: flag('replace a file that is there already'),
  },
  examples: ['reenact init crash.json', 'reenact run crash.json --dry-run'],
  run: async (a) => (await import('../actions/init.ts')).initCommand(a),
};
