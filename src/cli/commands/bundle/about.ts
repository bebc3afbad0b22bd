/** reenact bundle. */
import type { About } from '../../command.ts';

export const about: About = {
  help: `A bundle is one file with a replay record and everything it rests on, for
a reader who must check it without you: an OCI layout that is also a BagIt bag.
Its identity is the digest of its root manifest.`,
  notes: 'Exit status 2: refused.',
  examples: ['reenact bundle create .reenact/runs/ID --out case.tar', 'reenact bundle verify case.tar'],
};
