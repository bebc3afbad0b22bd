/** reenact policy. */
import type { About } from '../../command.ts';

export const about: About = {
  help: `Who may sign, what must be signed, and which gates must pass, before a manifest
is replayed. reenact schema policy has every field.`,
};
