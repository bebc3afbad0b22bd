/** reenact trace. */
import type { About } from '../../command.ts';

export const about: About = {
  help: `Stack traces, each frame joined to its symbols, the artifact it was shipped in,
and who signed that build.`,
  notes: 'reenact reproduce replays a stored trace.',
};
