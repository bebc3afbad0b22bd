/** reenact artifact add. */
import { type Command, list, text } from '../../command.ts';
import { json, policy } from '../../common-options.ts';

export const command: Command = {
  usage: ['FILE|REPO@sha256:D [OPTIONS]'],
  help: `Hashes what was shipped, and every program and library in it, and keeps that:
a file, a Debian package (.deb) or an image in a registry. Evidence is verified
under the policy and must be about exactly this digest; of an image the index,
the manifest or the configuration will do. Refused evidence is kept as refused.`,
  options: {
    evidence: list(
      'E',
      'a file of evidence, or a folder of them (repeatable); without any, nothing is proven of the artifact',
    ),
    policy: policy('whose word counts'),
    store: text(
      'DIR',
      'where to keep it (default: .reenact; its database is the one that REENACT_DATABASE_URL names, if any)',
    ),
    name: text('NAME', "what people call it (default: its file's, package's or image's)"),
    ...json('the result'),
  },
  examples: [
    String.raw`reenact artifact add app_1.2-1_amd64.deb --policy policy.yaml \
    --evidence app_1.2-1_amd64.deb.sigstore.json`,
  ],
  run: async (a) => (await import('../../actions/artifact.ts')).addArtifactFile(a),
};
