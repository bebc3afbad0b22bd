/** reenact bundle custody. */
import type { About } from '../../../command.ts';

export const about: About = {
  help: `Signed events of who had a bundle in hand and what was done with it, and
timestamps. Each event names the one before. The bundle's identity stays.`,
};
