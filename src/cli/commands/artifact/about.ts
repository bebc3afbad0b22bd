/** reenact artifact. */
import type { About } from '../../command.ts';

export const about: About = {
  help: `What was shipped, and who built it from what: kept by its digest, with all the
programs inside, so that each frame of a crash leads to a signed build.`,
  notes: 'Exit status 2: refused.',
};
