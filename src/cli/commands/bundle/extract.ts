/** reenact bundle extract. */
import { type Command, flag, list, text } from '../../command.ts';

export const command: Command = {
  usage: ['FILE --to DIR [OPTIONS]'],
  help: `Unpacks what is inside as DIR/ROLE/NAME, and the final state that counts as
DIR/files, stdout and stderr. Nothing in DIR is a link or can be executed: links
are lines of links.txt. A name that would not be safe is changed, and told in
names.txt. Form and digests are checked, not the verdict.`,
  options: {
    to: text('DIR', 'the folder to unpack into, which must not be there yet'),
    only: list(
      'PATTERN',
      'only what fits (repeatable): input/*.c, files/work, **/x.log; * within a name, ** across folders',
    ),
    force: flag('replace DIR, with all that is in it, once all is unpacked'),
  },
  examples: ['reenact bundle extract case.tar --to case --only files --only stdout'],
  run: async (a) => (await import('../../actions/bundle/extract.ts')).extractToFolder(a),
};
