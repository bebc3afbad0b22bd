/** JUnit XML for CI: a suite for each manifest, a case for each replay, each gate and the verdict; it fails where the command does. */
import { present } from '../base/list.ts';
import { shortId } from '../manifest/crash-signature.ts';
import { holdsOnly } from '../verdict/machine.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import type { ReplayResult } from '../verdict/replay-result.ts';
import { crashText } from './crash.ts';
import { REASONS, safe } from './human.ts';

/** What stands at the top: Ant's junitreport takes files of one suite only. */
export const JUNIT_ROOTS = ['testsuites', 'testsuite'] as const;

/** XML text: markup escaped, characters XML 1.0 cannot hold replaced. */
function xml(text: string): string {
  return safe(text)
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"]/g, (c) => present({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }[c]));
}

/** Parsers make a space of a line break in an attribute, unless it is written as a number. */
function attributes(pairs: Record<string, string | number>): string {
  const text = (value: string | number): string => xml(String(value)).replaceAll('\n', '&#10;');
  return Object.entries(pairs)
    .map(([name, value]) => ` ${name}="${text(value)}"`)
    .join('');
}

interface Problem {
  kind: 'failure' | 'error';
  /** A word for machines: a reason, a code, or gate. */
  type: string;
  message: string;
  detail: string;
}

interface Case {
  name: string;
  ms: number;
  problem?: Problem | undefined;
  said?: string;
}

interface Suite {
  name: string;
  record: ReplayRecord;
  cases: Case[];
}

/** Viewers make one of what has one name, and hide a failure behind a pass: names that come again are numbered. */
function unique(taken: Set<string>, name: string): string {
  let found = name;
  for (let n = 2; taken.has(found); n++) found = `${name} (${n})`;
  taken.add(found);
  return found;
}

function endingText({ ended, exit_code, signal, crash }: ReplayResult): string {
  const ending = ended === 'exit' ? `exit ${exit_code}` : ended === 'signal' ? `signal ${signal}` : ended;
  return crash ? `${ending}, ${crashText(crash)}` : String(ending);
}

function diverged(record: ReplayRecord, replay: ReplayResult): Problem {
  const wanted = record.expected_state_sha256 ?? record.final_state_sha256;
  const crashes = (replay.crash_signatures ?? []).map(({ id }) => shortId(id)).join(', ');
  const message =
    record.reason === 'crash_site' && replay.final_state_sha256 === wanted
      ? `diverged: ${crashes ? `crash ${crashes}` : 'no crash'}, in the same state`
      : `diverged: state ${replay.final_state_sha256}${wanted ? `, not ${wanted}` : ''}`;
  const lines = [message, `seed ${replay.seed}, ended: ${endingText(replay)}`];
  if (replay.varied) lines.push(`varied: ${replay.varied}`);
  const { divergence: d } = record;
  if (d && d.replay === replay.index) {
    const place = [d.path, d.attribute, d.offset === undefined ? '' : `first at byte ${d.offset}`];
    lines.push(`first difference: ${[d.kind, ...place].filter((word) => word).join(', ')}`);
    lines.push(
      `  expected ${d.context?.expected ?? d.expected}`,
      `  actual   ${d.context?.actual ?? d.actual}`,
    );
  }
  return { kind: 'failure', type: 'diverged', message, detail: lines.join('\n') };
}

function replayCase(record: ReplayRecord, replay: ReplayResult): Case {
  const made = { name: `replay ${replay.index}`, ms: replay.duration_ms };
  if (replay.outcome === 'match') return made;
  if (replay.outcome === 'diverged') return { ...made, problem: diverged(record, replay) };
  const type = replay.error?.code ?? String(replay.ended);
  const message = replay.error?.message ?? REASONS[type] ?? REASONS[`limit_${type}`] ?? type;
  const detail = `${type}: ${message}\nseed ${replay.seed}, ended: ${endingText(replay)}, attempts: ${replay.attempts}`;
  return { ...made, problem: { kind: 'error', type, message, detail } };
}

function gateCase({ name, value, threshold, pass }: ReplayRecord['gates'][0], policy: string): Case {
  const message = `gate ${name} of the policy ${policy} failed: ${value}, needs ${threshold}`;
  const problem = { kind: 'failure', type: 'gate', message, detail: message } as const;
  return { name: `gate ${name}`, ms: 0, problem: pass ? undefined : problem };
}

/** What no replay says: a manifest that never ran, replays that match and yet prove nothing, what the result holds for. */
function verdictCase(record: ReplayRecord): Case {
  const { verdict, reason, message: more } = record;
  const only = holdsOnly(record.environment);
  const sentence = REASONS[reason] ?? more;
  const lines = [
    `${verdict}: ${sentence}`,
    ...(more && more !== sentence ? [more] : []),
    ...only.map((one) => `holds only ${one}`),
    ...record.degraded.map((one) => `degraded: ${one}`),
    ...(record.uncaptured.length > 0 ? [`not part of the state: ${record.uncaptured.join(', ')}`] : []),
  ];
  const made = { name: 'verdict', ms: 0 };
  const detail = lines.join('\n');
  if (verdict === 'reproduced') return { ...made, said: detail };
  const kind = verdict === 'diverged' ? 'failure' : 'error';
  return { ...made, problem: { kind, type: reason, message: `${reason}: ${sentence}`, detail } };
}

/** Shards of one run give the same gates and verdicts: their files are merged. */
function suiteOf(record: ReplayRecord, taken: Set<string>): Suite {
  const whole = record.gates.map((gate) => gateCase(gate, record.policy.name)).concat(verdictCase(record));
  const shard = record.shard === null ? '' : `, shard ${record.shard}`;
  const cases = [
    ...record.replays.map((replay) => replayCase(record, replay)),
    ...whole.map((one) => ({ ...one, name: `${one.name}${shard}` })),
  ];
  const names = new Set<string>();
  return {
    name: unique(taken, record.manifest_path),
    record,
    cases: cases.map((one) => ({ ...one, name: unique(names, one.name) })),
  };
}

/** What the result rests on and holds for, where viewers show properties at all. */
function propertiesOf({ record }: Suite): [string, string][] {
  const { environment: e } = record;
  const only = holdsOnly(e);
  const found: [string, string | null | undefined][] = [
    ['name', record.name],
    ['verdict', record.verdict],
    ['reason', record.reason],
    ['manifest_sha256', record.manifest_sha256],
    ['sandbox_image_sha256', record.sandbox_image_sha256],
    ['final_state_sha256', record.final_state_sha256],
    ['policy', record.policy.name],
    ['evidence', record.evidence.status],
    ['shard', record.shard],
    ['engine', e?.engine],
    ['kernel', e?.kernel],
    ['processor', e?.cpu],
    ['determinism', e?.determinism],
    ['mechanisms', e?.mechanisms?.join(', ')],
    ['holds_only', only.join('; ')],
    ['degraded', record.degraded.join('; ')],
  ];
  return found.filter((pair): pair is [string, string] => Boolean(pair[1]));
}

function propertiesText(pairs: [string, string][]): string {
  const lines = pairs.map(([name, value]) => `      <property${attributes({ name, value })}/>\n`);
  return `    <properties>\n${lines.join('')}    </properties>\n`;
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

function caseText(classname: string, { name, ms, problem, said }: Case): string {
  const head = `    <testcase${attributes({ name, classname, time: seconds(ms) })}`;
  const { kind, type, message, detail } = problem ?? { kind: '', type: '', message: '', detail: '' };
  const failed = problem ? `      <${kind}${attributes({ message, type })}>${xml(detail)}</${kind}>\n` : '';
  const out = said === undefined ? '' : `      <system-out>${xml(said)}</system-out>\n`;
  return failed || out ? `${head}>\n${failed}${out}    </testcase>\n` : `${head}/>\n`;
}

function counts(suites: Suite[]): Record<string, string | number> {
  const cases = suites.flatMap((suite) => suite.cases);
  const having = (kind: Problem['kind']): number =>
    cases.filter(({ problem }) => problem?.kind === kind).length;
  const time = seconds(suites.reduce((sum, { record }) => sum + record.duration_ms, 0));
  return { tests: cases.length, failures: having('failure'), errors: having('error'), skipped: 0, time };
}

/** When the first of them began; without a time zone, which strict readers do not know. */
function timestamp(suites: Suite[]): { timestamp?: string } {
  const [first] = suites.map(({ record }) => record.started_at).sort();
  return first ? { timestamp: first.slice(0, 19) } : {};
}

function suiteText(suite: Suite): string {
  const head = attributes({ name: suite.name, ...counts([suite]), ...timestamp([suite]) });
  const cases = suite.cases.map((one) => caseText(suite.name, one));
  return `  <testsuite${head}>\n${propertiesText(propertiesOf(suite))}${cases.join('')}  </testsuite>\n`;
}

/** The whole document; under the root `testsuite` all manifests are one suite, and their cases differ by class. */
export function junitReport(
  records: ReplayRecord[],
  root: (typeof JUNIT_ROOTS)[number] = 'testsuites',
): string {
  const taken = new Set<string>();
  const suites = records.map((record) => suiteOf(record, taken));
  const head = attributes({ name: 'reenact', ...counts(suites), ...timestamp(suites) });
  const one = suites.length === 1;
  const properties = suites.flatMap((suite) =>
    propertiesOf(suite).map(([name, value]): [string, string] => [
      one ? name : `${suite.name} ${name}`,
      value,
    ]),
  );
  const inside =
    root === 'testsuites'
      ? suites.map(suiteText).join('')
      : propertiesText(properties) +
        suites.flatMap(({ name, cases }) => cases.map((each) => caseText(name, each))).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${head}>\n${inside}</${root}>\n`;
}
