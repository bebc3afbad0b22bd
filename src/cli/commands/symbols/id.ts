/** reenact symbols id. */
import type { Command } from '../../command.ts';
import { json } from '../../common-options.ts';

export const command: Command = {
  usage: ['FILE... [--json | --jsonl]'],
  help: `Prints what names the build that a file is of: ELF build-id, PDB GUID and age,
Mach-O UUID of each slice, PE time stamp and size, a Breakpad file's module, a
source map's debug id; its processor, and what it can tell of an address; the
compilers and flags that its debug information names, and what the Go linker
left. A build-id is not a digest: a program, its stripped copy and its debug
file share one.`,
  options: {
    ...json('all of it, with the SHA-256 of each file'),
  },
  examples: ['reenact symbols id /usr/bin/perl app.pdb App.dSYM/Contents/Resources/DWARF/App'],
  run: async (a) => (await import('../../actions/symbols/id.ts')).identify(a),
};
