/** reenact artifact fetch. */
import { type Command, text } from '../../command.ts';
import { json, policy } from '../../common-options.ts';

export const command: Command = {
  usage: ['REPO@sha256:D --policy P [OPTIONS]'],
  help: `Adds an image with the Sigstore bundles and DSSE envelopes that its registry
lists for it. What others attached beside them changes nothing.`,
  options: {
    policy: policy('whose word counts'),
    store: text(
      'DIR',
      'where to keep it (default: .reenact; its database is the one that REENACT_DATABASE_URL names, if any)',
    ),
    name: text('NAME', "what people call it (default: the image's)"),
    ...json('the result'),
  },
  notes: `REENACT_REGISTRY_USER and REENACT_REGISTRY_PASSWORD are used where the registry
wants to know who asks.`,
  run: async (a) => (await import('../../actions/artifact.ts')).fetchArtifact(a),
};
