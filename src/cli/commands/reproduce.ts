/** reenact reproduce. */
import { type Command, list, text } from '../command.ts';
import { json, policy, SANDBOXES } from '../common-options.ts';

export const command: Command = {
  usage: ['TRACE [OPTIONS]'],
  help: `Replays a stored trace in its pinned sandbox with full determinism, and compares
the stack of the thread that crashed: match (the same places of the same
build), match_fn (the same functions of another build), match_as_far_as_known
(one of the stacks was cut), diverged@N, no_crash or unreplayable. Then judges
the gates of the replays and of the joins, and that enough is known of a stack
that was cut (gates.known_frames of the policy: 8 frames). Exit status 0: a
match, and all gates pass; 1: another crash, none, or a gate failed; 2: evidence
rejected; 3: it could not be replayed.`,
  options: {
    manifest: text(
      'M',
      'the replay manifest (default: the one stored with the trace, else one that starts the program from the image it was shipped in, if the store knows that)',
    ),
    policy: policy('default, forensic or a policy file (default: default)'),
    replays: text('N', "replays (default: the manifest's, or 3)"),
    jobs: text('N', 'replays at once (default: 2)'),
    repository: list('REPO where to look for the image (repeatable)', ''),
    evidence: list('DIR', 'where to look for evidence of the manifest (repeatable)'),
    ...SANDBOXES,
    store: text('DIR', 'the store (default: .reenact, REENACT_DATABASE_URL)'),
    ...json('it, with both stacks'),
  },
  run: async (a) => (await import('../actions/reproduce.ts')).reproduceCommand(a),
};
