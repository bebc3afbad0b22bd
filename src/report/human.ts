/** What a person reads at the end: one block for each manifest, at most 80 columns where the content allows. */
import type { Digest } from '../base/digest.ts';
import { shortId } from '../manifest/crash-signature.ts';
import { holdsOnly } from '../verdict/machine.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import { crashText, processText, signatureText } from './crash.ts';
import { desyncRows } from './desync.ts';
import { narrowRow } from './lines.ts';
import { notFoundAdvice } from './not-found.ts';

export interface Style {
  colour: boolean;
}

const COLOURS = { reproduced: 32, diverged: 31, rejected: 31, inconclusive: 33 } as const;

/** Each reason code as a sentence. */
export const REASONS: Readonly<Record<string, string>> = {
  matches_expectation: 'every replay that counts ended in the expected state',
  self_consistent: 'the replays agree with each other; no expected state was given',
  states_differ: 'the replays differ among themselves, and too few match',
  crash_site: 'the states fit, and the crash is another one, or more than one',
  crash_unseen: 'a crash is expected, and with determinism off nobody sees which one it was',
  expectation_not_met: 'all replays agree, and not with what the manifest expects',
  other_processor: 'the state is not the expected one, which is of another kind of machine; nothing follows',
  tie: 'two states are equally frequent, so none is the reference',
  exec_failed: 'the program could not be executed',
  unsupported: 'the program asked for something that full determinism cannot give',
  indeterminate_spin: 'a thread waits in a loop that no seed can decide',
  limit_timeout: 'the program did not end within its time limit',
  limit_oom: 'the program ran out of memory',
  limit_output: 'the program printed more than its output limit',
  limit_write: 'the program wrote more than may be captured',
  not_all_replayed: 'not every requested replay was run',
};

/** Where texts stand beside their labels. */
const COLUMN = 13;

function row(label: string, text: string): string {
  return `${`  ${label}`.padEnd(COLUMN)}${text}\n`;
}

function endingOf(r: ReplayRecord['replays'][0]): string {
  if (r.error && !r.ended) return `failed (${r.error.code})`;
  if (r.ended === 'signal') return `signal ${r.signal}`;
  return r.ended === 'exit' ? `exit ${r.exit_code}` : String(r.ended);
}

function endings(record: ReplayRecord): string {
  const counts = new Map<string, number>();
  for (const r of record.replays) counts.set(endingOf(r), (counts.get(endingOf(r)) ?? 0) + 1);
  return [...counts].map(([text, count]) => (counts.size === 1 ? text : `${text} × ${count}`)).join(', ');
}

/** Seeds named for each ending. */
const SHOWN_SEEDS = 12;

/** Such as ", v1:0123456789ab": seeds may lead to one signal at several places. */
function signaturesOf({ crash_signatures = [] }: ReplayRecord['replays'][0]): string {
  return crash_signatures.map(({ id }) => `, ${shortId(id)}`).join('');
}

/** What the seed decided; where each replay had its own, which of them ended otherwise than the rest. */
function seedRows(record: ReplayRecord): string {
  const { determinism, schedule } = record.environment ?? {};
  const seeds = record.replays.map(({ seed }) => seed);
  if (determinism === 'off') return row('seed', `${seeds[0]}, decides nothing by itself (determinism off)`);
  if (determinism !== 'full' || seeds.length === 0) return '';
  if (new Set(seeds).size === 1)
    return row(
      'seed',
      `${seeds[0]}, decides all that the program sees${schedule === 'chaos' ? ', turns by chance' : ''}`,
    );
  let text = row('seeds', `${Math.min(...seeds)} to ${Math.max(...seeds)}, each with its own order of turns`);
  const others = Map.groupBy(
    record.replays.filter(({ outcome }) => outcome !== 'match'),
    (replay) => `${endingOf(replay)}${signaturesOf(replay)}`,
  );
  for (const [ending, replays] of others) {
    const shown = replays.slice(0, SHOWN_SEEDS).map(({ seed }) => seed);
    const more = replays.length > shown.length ? ` and ${replays.length - shown.length} more` : '';
    text += row('otherwise', `${ending}: ${shown.join(', ')}${more}`);
    text += row('  again', `reenact run --seeds ${shown[0]}..${shown[0]}`);
  }
  return text;
}

/** For run --vary: what the program depends on, as far as two replays of each variation show. */
function variedRows({ replays }: ReplayRecord): string {
  const states = (name: string): Set<Digest | null> =>
    new Set(replays.filter(({ varied }) => varied === name).map((r) => r.final_state_sha256));
  const names = new Set(replays.flatMap(({ varied }) => varied ?? []));
  const [usual, ...others] = states('nothing');
  if (names.size === 0) return '';
  if (!usual || replays.some((r) => !r.final_state_sha256))
    return row('varied', 'not all replays completed, so that nothing can be said');
  if (others.length > 0)
    return row('varied', 'it differs with nothing changed: by time, random numbers, addresses or turns');
  const depends = [...names].filter((name) => [...states(name)].some((state) => state !== usual));
  const rest = [...names].filter((name) => name !== 'nothing' && !depends.includes(name));
  return (
    row(
      'varied',
      depends.length > 0 ? `differed under other ${depends.join(', ')}` : 'differed under none of them',
    ) + (rest.length > 0 ? row('  same', `under other ${rest.join(', ')}`) : '')
  );
}

/** Lines that are the same in several replays stand once, with how often; paths and names in them are the program's choice. */
function countedRows(label: string, texts: string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts]
    .map(([text, count]) =>
      narrowRow(label, counts.size === 1 ? safeLine(text) : `${safeLine(text)} × ${count}`, COLUMN),
    )
    .join('');
}

/** Crashes of other processes that are shown of a replay. */
const SHOWN_OTHERS = 4;

/** Each crash site once, with its signature; then those of processes that the program started. */
function crashes({ replays }: ReplayRecord): string {
  const own = replays.flatMap(({ crash }) => crash ?? []);
  const others = replays.map(({ other_crashes }) => ({
    shown: other_crashes?.crashes.slice(0, SHOWN_OTHERS) ?? [],
    more: (other_crashes?.left_out ?? 0) + Math.max(0, (other_crashes?.crashes.length ?? 0) - SHOWN_OTHERS),
  }));
  const core = own.find((crash) => crash.core)?.core;
  return [
    countedRows('crash', own.map(crashText)),
    countedRows('signature', own.map(signatureText)),
    countedRows(
      'crash of',
      others.flatMap(({ shown }) => shown.map((one) => `${processText(one)}: ${crashText(one)}`)),
    ),
    countedRows(
      'signature',
      others.flatMap(({ shown }) => shown.map((one) => `${signatureText(one)}, of ${processText(one)}`)),
    ),
    countedRows(
      '  and',
      others.flatMap(({ more }) => (more > 0 ? [`${more} more crashes of other processes`] : [])),
    ),
    core ? row('core', `${core.sha256} in the store, ${core.size} bytes`) : '',
  ].join('');
}

/** A sandboxed program chooses these bytes: control characters must not reach the terminal. */
export function safe(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The same on one line: a name with line feeds could pass for lines of ours. */
export function safeLine(text: string): string {
  return safe(text).replace(
    /[\t\n\u061c\u200b-\u200f\u2028\u2029\u2060-\u2065\ufeff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function divergence(record: ReplayRecord): string {
  const d = record.divergence;
  if (!d) return '';
  const where =
    d.kind === 'path'
      ? `${d.path}${d.attribute ? `, ${d.attribute}` : ''}`
      : d.kind === 'ending'
        ? 'how it ended'
        : d.kind;
  let text = row(
    'difference',
    `${safeLine(where)}${d.offset === undefined ? '' : `, first at byte ${d.offset}`} (replay ${d.replay})`,
  );
  text += row('  expected', safeLine(d.context?.expected ?? d.expected));
  text += row('  actual', safeLine(d.context?.actual ?? d.actual));
  return text;
}

/** Who signed for the manifest, or that this was not checked. */
function evidenceLine(evidence: ReplayRecord['evidence']): string {
  const { status, record, custody } = evidence;
  if (!record) return 'NOT checked: the policy names no authority (reenact policy init)';
  if (status !== 'verified') {
    const failed = record.envelopes
      .flatMap(({ checks }) => checks)
      .find((check) => check.status === 'failed');
    return `${status} at ${failed?.name ?? 'reading'}: ${record.code}`;
  }
  const signers = record.envelopes.flatMap((one) => one.signers);
  const who = signers.map(({ authority, identity, certificate, open = [] }) => {
    const source = open.map((field) => `, called from ${certificate?.[field]}, which the policy leaves open`);
    return `${authority}${identity ? ` (${identity}${source[0] ?? ''})` : ''}`;
  });
  return `verified: signed by ${[...new Set(who)].join(', ')}; custody entry ${custody?.sequence}`;
}

/** The block for one record. */
export function humanReport(record: ReplayRecord, style: Style): string {
  const matching = record.replays.filter((r) => r.outcome === 'match').length;
  let text = `  ${safeLine(record.name)}\n`;
  text += row('reason', `${record.reason}: ${REASONS[record.reason] ?? record.message}`);
  if (record.replays.length > 0) {
    text += row(
      'replays',
      `${matching} of ${record.requested} match, ratio ${record.replay_success_ratio.toFixed(record.replay_success_ratio === 1 ? 1 : 3)}${record.flaky ? ', flaky' : ''}`,
    );
    text += row('ended', endings(record));
    const advice = new Set(record.replays.flatMap(({ exit_code }) => notFoundAdvice(exit_code) ?? []));
    for (const one of advice) text += row('advice', one);
    text += crashes(record);
  }
  if (record.replays.length > 0 && REASONS[record.reason] && record.message)
    text += row('error', record.message);
  if (record.final_state_sha256) text += row('state', record.final_state_sha256);
  text += divergence(record);
  for (const [label, line] of record.desync ? desyncRows(record.desync) : [])
    text += row(label, safeLine(line));
  for (const claim of record.claims)
    text += row(
      'claim',
      `${claim.name} claimed ${claim.claimed}, observed ${claim.observed ?? 'unknown'}${claim.match === false ? ' (mismatch)' : ''}`,
    );
  text += seedRows(record);
  text += variedRows(record);
  if (record.degraded.length > 0) text += row('degraded', safeLine(record.degraded.join('; ')));
  const only = holdsOnly(record.environment);
  if (only.length > 0) text += row('holds only', safeLine(only.join('; ')));
  if (record.image)
    text += row('image', `${record.image.requested} (checked by ${record.image.image_check})`);
  const failed = record.gates
    .filter((gate) => !gate.pass)
    .map((gate) => `${gate.name} (${gate.value}, needs ${gate.threshold})`);
  if (record.gates.length > 0)
    text += row(
      'policy',
      `${record.policy.name}: ${failed.length > 0 ? `failed ${failed.join(', ')}` : 'all gates pass'}`,
    );
  text += row('evidence', evidenceLine(record.evidence));
  const verdict = style.colour
    ? `\u001b[1;${COLOURS[record.verdict]}m${record.verdict}\u001b[0m`
    : record.verdict;
  return verdict + safe(text);
}
