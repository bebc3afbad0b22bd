/** reenact capture. */
import { type Command, flag, list, oneOf, text } from '../command.ts';
import { SANDBOXES } from '../common-options.ts';

export const command: Command = {
  usage: ['--image REPO@sha256:... [OPTIONS] -- COMMAND...'],
  help: `Runs COMMAND once in the sandbox and writes a manifest that expects the same
final state and the same crash again. Inputs are seen in /case, read-only; the
program starts in an empty, writable /work.`,
  options: {
    image: text('REPO@sha256:D', 'the sandbox image, by digest'),
    input: list(
      'FILE',
      "a file for /case (repeatable); one from outside the manifest's folder is copied into inputs/ beside it",
    ),
    out: text('FILE', 'the manifest to write (default: crash.json)', { short: 'o' }),
    force: flag('replace a file that is there already'),
    name: text('NAME', 'a name for reports'),
    seed: text('N', '0 to 2^53-1 (default: 1)'),
    schedule: oneOf(
      ['in_order', 'chaos'],
      'HOW',
      'in_order (usual) or chaos: turns by chance of the seed, so that one that run --seeds found becomes a manifest',
    ),
    env: list('NAME=VALUE', 'an environment variable (repeatable)'),
    user: text('UID[:GID]', 'who runs it (default: 1000:1000)'),
    timeout: text('SECONDS', 'limit on the run (default: 60)'),
    store: text('DIR', 'folder for states and outputs (default: .reenact)'),
    ...SANDBOXES,
  },
  examples: [
    String.raw`reenact capture --image 127.0.0.1:5000/app@sha256:... \
    --input request.bin -- app --once /case/request.bin`,
  ],
  takesProgram: true,
  run: async (a) => (await import('../actions/capture.ts')).captureCommand(a),
};
