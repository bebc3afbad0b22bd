/** reenact manifest subject. */
import type { Command } from '../../command.ts';

export const command: Command = {
  usage: ['MANIFEST...'],
  help: `Prints the manifest subject, the digest that evidence must name: of the
canonical manifest without dsse_envelope and rekor_tile_ref. The manifest
digest of records and run --dry-run is of the canonical manifest with them.`,
  options: {},
  run: async (a) => (await import('../../actions/manifest-subject.ts')).printSubjects(a),
};
