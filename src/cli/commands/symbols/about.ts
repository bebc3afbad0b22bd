/** reenact symbols. */
import type { About } from '../../command.ts';

export const about: About = {
  help: `Symbol files: what gives the addresses of a crash their names. Each is let in
only with an accepted attestation of exactly its bytes.`,
};
