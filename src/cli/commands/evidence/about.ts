/** reenact evidence. */
import type { About } from '../../command.ts';

export const about: About = {
  help: `Who signed what: Sigstore bundles, DSSE envelopes and the proofs of transparency
logs, judged by a policy. Verifying needs no network.`,
};
