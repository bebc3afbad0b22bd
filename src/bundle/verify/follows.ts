/** Fields of a record that follow from others: each is worked out again, and one that says otherwise is a contradiction. */

import { canonicalJson } from '../../base/canonical-json.ts';
import { EXIT, FAULTS } from '../../base/fault.ts';
import { isKeyOf, keysOf } from '../../base/table.ts';
import { entryOf } from '../../evidence/custody/custody.ts';
import { lostNeeds, saidLost } from '../../sandbox/mechanisms.ts';
import type { ReplayRecord } from '../../verdict/record.ts';
import type { ReplayResult } from '../../verdict/replay-result.ts';
import type { Problems } from '../read/contents.ts';
import type { Opened } from '../read/open.ts';
import { documentOf } from './custody.ts';

/** A field and what is wrong with it. */
type Contradiction = [path: string, message: string];

/** Clocks of two machines, or of processes that finish in another order than they began, may differ by so much. */
const SKEW_MS = 300_000;

/** A time as records write it, in milliseconds; undefined for anything else. */
function timeOf(text: unknown): number | undefined {
  const time = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) || new Date(time).toISOString() !== text ? undefined : time;
}

/** An ending has either a status or a signal, a state if and only if the program came to its end, and else a reason. */
function endingOf(replay: ReplayResult, path: string): Contradiction[] {
  const { ended, exit_code, signal, final_state_sha256: state, error } = replay;
  const whole = ended === 'exit' || ended === 'signal';
  const wrong: Contradiction[] = [];
  const want = (holds: boolean, field: string, message: string): void => {
    if (!holds) wrong.push([`${path}.${field}`, message]);
  };
  want(
    (exit_code !== null) === (ended === 'exit') || !(whole || ended === null),
    'exit_code',
    `does not go with ended ${ended}`,
  );
  want(
    (signal !== null) === (ended === 'signal') || !(whole || ended === null),
    'signal',
    `does not go with ended ${ended}`,
  );
  want((state !== null) === whole, 'final_state_sha256', `does not go with ended ${ended}`);
  want(ended !== null || error !== undefined, 'error', 'is missing: the replay did not end');
  want(!whole || error === undefined, 'error', `does not go with ended ${ended}`);
  want(error === undefined || ended === null || error.code === ended, 'error.code', `is not ${ended}`);
  return wrong;
}

/** Replays in their order, each once, those of the shard, with the manifest's seed unless each had one of its own. */
function replaysOf({ record, manifest, subject }: Opened): Contradiction[] {
  const { replays, environment, requested, shard } = record;
  const [, part, parts] = (shard === null ? null : /^([1-9]\d{0,8})\/([1-9]\d{0,8})$/.exec(shard)) ?? [];
  if (shard !== null && !(Number(part) <= Number(parts))) return [['shard', 'is not one of its own parts']];
  const [first, step] = shard === null ? [1, 1] : [Number(part), Number(parts)];
  const own = environment?.schedule === 'chaos' && manifest?.schedule !== 'chaos';
  let last = 0;
  return replays.flatMap((replay, i): Contradiction[] => {
    const path = `replays[${i}]`;
    const { index, seed, attempts } = replay;
    const wrong = endingOf(replay, path);
    const { crash_as: as } = replay;
    // One that names no row at all has no crash, from which another verdict follows.
    const row = replays.find((one) => one.index === as);
    if (row && (replay.crash || replay.other_crashes || !(row.crash ?? row.other_crashes)) && !subject)
      wrong.push([`${path}.crash_as`, `the crashes of replay ${as} are not its own`]);
    const listed = index > last && (index - first) % step === 0 && (index - first) / step < requested;
    if (!listed) wrong.push([`${path}.index`, `${index} does not follow ${last} in what was asked for`]);
    last = index;
    if (attempts < 1) wrong.push([`${path}.attempts`, 'a replay takes at least one']);
    if (manifest && !own && seed !== manifest.seed)
      wrong.push([`${path}.seed`, `${seed}, and the manifest has ${manifest.seed}`]);
    return wrong;
  });
}

/** What was degraded is what the mechanisms leave open, and these are named if and only if determinism was full. */
function environmentOf({ record, manifest }: Opened): Contradiction[] {
  const { environment, degraded } = record;
  if (!environment) return [];
  const { determinism, mechanisms, schedule } = environment;
  const wrong: Contradiction[] = [];
  // Records from before mechanisms were named say neither of them, nor the processor.
  if (mechanisms ? determinism !== 'full' : determinism === 'full' && environment.processor !== undefined)
    wrong.push(['environment.mechanisms', `do not go with determinism ${determinism ?? 'not said'}`]);
  if (schedule && determinism !== 'full')
    wrong.push(['environment.schedule', 'is decided by the seed only where determinism is full']);
  if (determinism === 'full' && manifest?.schedule === 'chaos' && !schedule)
    wrong.push(['environment.schedule', 'is missing: the manifest asks for chaos']);
  const lost = mechanisms ? lostNeeds(mechanisms) : [];
  const said = saidLost(degraded);
  if (canonicalJson(lost) !== canonicalJson(said))
    wrong.push([
      'degraded',
      `says that ${said.join(', ') || 'nothing'} is not decided by the seed, and by environment.mechanisms it is ${lost.join(', ') || 'nothing'}`,
    ]);
  return wrong;
}

/** What a run that ended before its first replay leaves: nothing beside why. */
const NOTHING_RAN: Partial<ReplayRecord> = {
  flaky: false,
  replay_success_ratio: 0,
  final_state_sha256: null,
  gates: [],
  image: null,
  claims: [],
  degraded: [],
  divergence: null,
};

function unstarted({ record, subject }: Opened): Contradiction[] {
  if (record.environment !== null) return [];
  if (record.replays.length > 0) return [['environment', 'is missing: replays took place in one']];
  const wrong = keysOf<keyof ReplayRecord>(NOTHING_RAN).flatMap((field): Contradiction[] =>
    canonicalJson(record[field]) === canonicalJson(NOTHING_RAN[field])
      ? []
      : [[field, 'says something of replays, and there were none']],
  );
  const { record: evidence } = record.evidence;
  const fault = isKeyOf(FAULTS, record.reason) ? FAULTS[record.reason] : undefined;
  const refused = evidence && evidence.verdict !== 'verified' && !subject;
  const rejected = refused ? evidence.verdict === 'rejected' : fault?.exit === EXIT.rejected;
  if (refused && record.reason !== (evidence.code ?? 'internal'))
    wrong.push(['reason', `the evidence was refused for ${evidence.code}`]);
  if ((refused || fault) && record.verdict !== (rejected ? 'rejected' : 'inconclusive'))
    wrong.push(['verdict', `does not follow from ${record.reason}`]);
  return wrong;
}

/** What is told of differences is told of replays that are there. */
function differences({ record }: Opened): Contradiction[] {
  const { divergence, desync, replays } = record;
  const wrong: Contradiction[] = [];
  const there = new Set(replays.map(({ index }) => index));
  if (divergence && !replays.some(({ outcome }) => outcome === 'diverged'))
    wrong.push(['divergence', 'no replay diverged']);
  if (divergence && !there.has(divergence.replay))
    wrong.push(['divergence.replay', `there is no replay ${divergence.replay}`]);
  if (desync && (!desync.replays.every((one) => there.has(one)) || new Set(desync.replays).size < 2))
    wrong.push(['desync.replays', 'are not two of the replays']);
  if (desync && desync.before.length !== Math.min(3, desync.alike))
    wrong.push(['desync.before', `are not the last of ${desync.alike} events`]);
  return wrong;
}

/** The run begins at a time, its evidence is judged in it under its policy, and its custody entry says the same. */
function times({ record }: Opened): Contradiction[] {
  const { started_at, duration_ms, policy, evidence } = record;
  const started = timeOf(started_at);
  if (started === undefined) return [['started_at', `"${started_at}" is no time`]];
  const wrong: Contradiction[] = [];
  if (
    timeOf(new Date(Math.min(started + duration_ms, 8.64e15)).toISOString()) === undefined ||
    started + duration_ms > 8.64e15
  )
    wrong.push(['duration_ms', 'the run never ends']);
  if (!evidence.record) return wrong;
  const verified = timeOf(evidence.record.verified_at);
  if (verified !== undefined && verified < started - SKEW_MS)
    wrong.push(['evidence.record.verified_at', 'is before the run began']);
  if (canonicalJson(evidence.record.policy) !== canonicalJson(policy))
    wrong.push(['evidence.record.policy', 'is another policy than that of the record']);
  return wrong;
}

/** The run's entry says what its evidence record says, and no entry or event is earlier than the one before. */
function custody(opened: Opened): Contradiction[] {
  const { record, document, attested, subject } = opened;
  const wrong: Contradiction[] = [];
  const entries = document.items.flatMap(({ role, sha256 }) => {
    const entry = role === 'custody' ? documentOf(opened, sha256, 'the custody entry') : undefined;
    return entry ? [entry] : [];
  });
  const { record: evidence, record_sha256 } = record.evidence;
  const own = documentOf(opened, record.evidence.custody?.sha256, 'the custody entry');
  if (own && evidence && record_sha256 && !subject)
    for (const [field, value] of Object.entries(entryOf(evidence, record_sha256)))
      if (canonicalJson(own[field] ?? null) !== canonicalJson(value))
        wrong.push([`custody.${field}`, 'is not what the evidence record says']);
  const backwards = (path: string, all: (string | null)[], from?: number): void => {
    let before = from ?? Number.NEGATIVE_INFINITY;
    for (const [i, text] of all.entries()) {
      const time = text === null ? undefined : Date.parse(text);
      if (time === undefined) continue;
      if (!(time >= before - SKEW_MS))
        wrong.push([`${path}[${i}].time`, `${text} is earlier than what it follows`]);
      before = Math.max(before, time);
    }
  };
  backwards(
    'custody',
    entries.map(({ time }) => (typeof time === 'string' ? time : null)),
  );
  const started = timeOf(record.started_at);
  backwards(
    'events',
    attested.events.map(({ time }) => time),
    started === undefined ? undefined : started + record.duration_ms,
  );
  return wrong;
}

/** Refuses a record that contradicts itself or what it rests on, each field by its path. */
export function checkFollows(opened: Opened, problems: Problems): void {
  const rules = [replaysOf, environmentOf, unstarted, differences, times, custody];
  for (const [path, message] of rules.flatMap((rule) => rule(opened)).slice(0, 20))
    problems.push({ code: 'record_differs', message: `$.${path}: ${message}` });
}
