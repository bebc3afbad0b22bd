/** reenact capture: one run of a command becomes a manifest that expects the same final state. */
import { EXIT, Fault } from '../../base/fault.ts';
import { becomesFile } from '../../base/output.ts';
import { MAX_SEED } from '../../manifest/definition.ts';
import { processText, signatureText } from '../../report/crash.ts';
import { safeLine } from '../../report/human.ts';
import { narrowRow } from '../../report/lines.ts';
import { notFoundAdvice } from '../../report/not-found.ts';
import type { Crash } from '../../sandbox/crash.ts';
import { holdsOnly } from '../../verdict/machine.ts';
import type { ReplayResult } from '../../verdict/replay-result.ts';
import { type Arguments, choice } from '../arguments.ts';
import { withReenact } from '../shared/door.ts';

/** What follows "--" is the command, whatever it looks like. */
function programOf({ program }: Arguments): string[] {
  if (program === undefined || program.length === 0)
    throw new Fault(
      'usage',
      'put the command after --, as in reenact capture … -- app --once /case/request.bin',
    );
  return program;
}

function environmentOf(a: Arguments): Record<string, string> {
  const pairs = a.list('env').map((one) => {
    const at = one.indexOf('=');
    if (at < 1) throw new Fault('usage', `--env wants NAME=VALUE, not "${one}"`);
    return [one.slice(0, at), one.slice(at + 1)] as const;
  });
  return Object.fromEntries(pairs);
}

/** Where texts stand beside their labels. */
const COLUMN = 12;

/** Which crash it was, by the signature that the manifest expects; then those of other processes, which it does not name. */
function crashLines({ crash, other_crashes }: ReplayResult): string[] {
  const others = other_crashes?.crashes ?? [];
  const more = other_crashes?.left_out ?? 0;
  const text = (one: Crash): string => `${one.signal} ${signatureText(one)}`;
  return [
    ...(crash ? [text(crash)] : []),
    ...others.map((one) => `${text(one)}, of ${processText(one)}`),
    ...(more > 0 ? [`and ${more} more crashes of other processes`] : []),
  ].map((one) => narrowRow('crash', safeLine(one), COLUMN).trimEnd());
}

export async function captureCommand(a: Arguments): Promise<number> {
  const command = programOf(a);
  if (a.positionals.length > 0)
    throw new Fault('usage', `"${a.positionals[0]}" stands before --; the command comes after it`);
  const out = a.text('out') ?? 'crash.json';
  const timeout = a.text('timeout');
  const options = {
    image: a.text('image') ?? '',
    command,
    inputs: a.list('input'),
    env: environmentOf(a),
    name: a.text('name'),
    user: a.text('user'),
    timeout: timeout === undefined ? undefined : Number(timeout),
    seed: a.number('seed', 0, MAX_SEED, 1),
    schedule: choice(a, 'schedule', ['in_order', 'chaos'] as const),
    without: a.list('without'),
    out,
    force: a.flag('force'),
  };
  const { manifest, record, expectsCrash } = await withReenact({ store: a.text('store') }, (reenact) =>
    reenact.capture(options),
  );
  const [replay] = record.replays;
  if (!manifest || !replay) {
    process.stderr.write(`reenact: nothing was captured: ${record.reason} ${record.message}\n`);
    return record.verdict === 'rejected' ? EXIT.rejected : EXIT.inconclusive;
  }
  const only = holdsOnly(record.environment);
  const advice = notFoundAdvice(replay.exit_code);
  const ended = replay.signal !== null ? `signal ${replay.signal}` : `exit ${replay.exit_code}`;
  (becomesFile(out) ? process.stdout : process.stderr).write(
    [
      `captured ${ended} in ${replay.duration_ms} ms`,
      ...(advice ? [`  advice    ${advice}`] : []),
      ...crashLines(replay),
      ...(manifest.expect?.crash && !expectsCrash
        ? ['  no signature is expected: nothing known of its stack tells it from others']
        : []),
      `  state     ${replay.final_state_sha256}`,
      `  manifest  ${out}`,
      ...(only.length > 0 ? [`  holds only ${only.join('; ')}`] : []),
      '',
    ].join('\n'),
  );
  return EXIT.ok;
}
