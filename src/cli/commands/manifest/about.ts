/** reenact manifest. */
import type { About } from '../../command.ts';

export const about: About = {
  help: `A replay manifest is the JSON file that says what is replayed and what is
expected; reenact schema manifest has every field.`,
};
