/** What a bundle's record says, thing by thing, without times, durations and places on the machine that made it. */
import type { Opened } from '../read/open.ts';

/** Each value with how often it is there, most frequent first. */
function counted(values: string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([value, count]) => `${value} × ${count}`)
    .join(', ');
}

function each(group: string, fields: object | null | undefined): [string, unknown][] {
  return Object.entries(fields ?? {}).map(([name, value]) => [`${group} ${name}`, value]);
}

function gateFields(gates: Opened['shown']['gates']): [string, unknown][] {
  return gates.map(({ name, value, threshold, pass }) => [
    `gate ${name}`,
    `${value}, needs ${threshold}: ${pass ? 'passed' : 'failed'}`,
  ]);
}

function signersIn({ record }: Opened['shown']['evidence']): string {
  const signers = (record?.envelopes ?? []).flatMap((envelope) =>
    envelope.signers.map(
      ({ authority, identity, key_fingerprint }) => `${authority} (${identity ?? key_fingerprint})`,
    ),
  );
  return [...new Set(signers)].sort().join(', ');
}

/** All points in which two bundles are compared, by name, the most interesting first. */
export function comparableFields({
  shown: record,
  shownManifest,
  document,
  subject,
  traced,
}: Opened): Map<string, unknown> {
  const { evidence, replays } = record;
  const { inputs = [], ...fields } = shownManifest ?? {};
  const { trace_id, reproduction, frames, gates = [] } = traced?.shown ?? {};
  return new Map<string, unknown>([
    ['name', record.name],
    ['verdict', record.verdict],
    ['reason', record.reason],
    ['message', record.message],
    ['flaky', record.flaky],
    ['ratio', record.replay_success_ratio],
    ['requested', record.requested],
    ['outcomes', counted(replays.map(({ outcome }) => outcome))],
    [
      'endings',
      counted(replays.map(({ ended, exit_code, signal }) => `${ended} ${signal ?? exit_code ?? ''}`.trim())),
    ],
    [
      'crashes',
      counted(
        replays.flatMap(({ crash_signatures }) =>
          (crash_signatures ?? []).map(({ process, id }) => (process === null ? id : `${id} of ${process}`)),
        ),
      ),
    ],
    ['expected state', record.expected_state_sha256],
    ['counting state', record.final_state_sha256],
    ...gateFields(record.gates),
    ['trace', trace_id ?? null],
    ['reproduction', reproduction?.verdict ?? null],
    [
      'frames joined',
      frames ? `${frames.filter(({ gap }) => gap === null).length} of ${frames.length}` : null,
    ],
    ...gateFields(gates),
    ['policy', record.policy.sha256],
    ['evidence', evidence.status],
    ['evidence code', evidence.record?.code ?? null],
    ['signers', signersIn(evidence)],
    ['manifest', record.manifest_sha256],
    ...each('manifest', fields),
    ...inputs.map(({ path, sha256, source }): [string, unknown] => [
      `input ${path}`,
      source === path ? sha256 : `${sha256} from ${source}`,
    ]),
    ['image', record.sandbox_image_sha256],
    ...each('image', record.image),
    ...record.claims.map(({ name, observed }): [string, unknown] => [`observed ${name}`, observed]),
    ['degraded', record.degraded.join('; ')],
    ['uncaptured', record.uncaptured.join(', ')],
    ...each('environment', record.environment),
    ['shard', record.shard],
    ['contents of states', document.state],
    ['image inside', document.image],
    ['redaction of', subject?.digest ?? null],
    ['withheld', (document.withheld ?? []).map(({ role, name }) => name ?? role).join(', ')],
  ]);
}
