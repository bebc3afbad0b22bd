/** Each field of a record either follows from others, and then a lie in it is refused, or is said by the recorder and shown as that. */
import { describe, expect, it } from 'vitest';

import { canonicalJson } from '../../../src/base/canonical-json.ts';
import { type Digest, digestOf } from '../../../src/base/digest.ts';
import { SAID_BY_RECORDER } from '../../../src/bundle/verify/said.ts';
import { verifyBundle } from '../../../src/bundle/verify/verify.ts';
import type { Collected } from '../../../src/bundle/write/collect.ts';
import { type ReplayRecord, recordSchema } from '../../../src/verdict/record.ts';
import { makeCase } from '../../support/case.ts';
import { add, forge } from '../../support/forge.ts';

const other = digestOf('other');
const FULL = { determinism: 'full', mechanisms: ['call_trace', 'fixed_layout', 'clock_trap', 'cpuid_trap'] };

/** Field, and a lie in it; of whole groups one stands for those that are compared together. */
const FOLLOWS: [string, (record: ReplayRecord, collected: Collected) => unknown][] = [
  ['record_version', (r) => (r.record_version = 2 as never)],
  ['manifest_sha256', (r) => (r.manifest_sha256 = other)],
  ['manifest_subject_sha256', (r) => (r.manifest_subject_sha256 = other)],
  ['sandbox_image_sha256', (r) => (r.sandbox_image_sha256 = other)],
  ['verdict', (r) => (r.verdict = 'diverged')],
  ['reason', (r) => (r.reason = 'states_differ')],
  ['flaky', (r) => (r.flaky = true)],
  ['replay_success_ratio', (r) => (r.replay_success_ratio = 0.5)],
  ['final_state_sha256', (r) => (r.final_state_sha256 = other)],
  ['expected_state_sha256', (r) => (r.expected_state_sha256 = other)],
  ['gates', (r) => (r.gates[0]!.value = 0.9)],
  ['replays[].index', (r) => (r.replays[1]!.index = 7)],
  ['replays[].seed', (r) => (r.replays[1]!.seed = 2)],
  ['replays[].outcome', (r) => (r.replays[1]!.outcome = 'diverged')],
  ['replays[].ended', (r) => (r.replays[1]!.ended = 'signal')],
  ['replays[].final_state_sha256', (r) => (r.replays[1]!.final_state_sha256 = other)],
  ['replays[].exit_code', (r) => (r.replays[1]!.exit_code = null)],
  ['replays[].signal', (r) => (r.replays[1]!.signal = 'SIGSEGV')],
  ['replays[].crash_as', (r) => (r.replays[1]!.crash_as = 1)],
  [
    'replays[].crash_signatures',
    (r) =>
      (r.replays[1]!.crash_signatures = [
        { process: null, id: `v1:${'0'.repeat(64)}`, functions_id: null, walk: 'cut', site: null },
      ]),
  ],
  ['replays[].error.code', (r) => (r.replays[1]!.error = { code: 'engine_failed', message: '' })],
  ['policy.sha256', (r) => (r.policy.sha256 = other)],
  ['evidence.status', (r) => (r.evidence.status = 'rejected')],
  ['evidence.record_sha256', (r) => (r.evidence.record_sha256 = other)],
  ['evidence.files', (r) => (r.evidence.files = [other])],
  ['evidence.custody.sequence', (r) => (r.evidence.custody!.sequence = 3)],
  ['evidence.custody.sha256', (r) => (r.evidence.custody!.sha256 = other)],
  ['evidence.record.evidence_version', (r) => (r.evidence.record!.evidence_version = 2 as never)],
  ['evidence.record.verdict', (r) => (r.evidence.record!.verdict = 'rejected')],
  ['evidence.record.code', evidence((e) => (e.code = 'evidence_missing'))],
  ['evidence.record.subjects_compared', evidence((e) => (e.subjects_compared = false))],
  ['evidence.record.requirements', evidence((e) => e.requirements[0]!.needed++)],
  ['evidence.record.envelopes', evidence((e) => (e.envelopes[0]!.signers[0]!.authority = 'x'))],
  ['evidence.record.policy', evidence((e) => (e.policy.sha256 = other))],
  ['evidence.record.trust_root.sha256', evidence((e) => (e.trust_root = { name: 'x', sha256: other }))],
  ['image.requested', (r) => (r.image!.requested = other)],
  ['image.manifest', (r) => (r.image!.manifest = other)],
  ['image.config', (r) => (r.image!.config = other)],
  ['image.diff_ids', (r) => (r.image!.diff_ids = [other])],
  ['claims[].name', (r) => r.claims.push({ name: 'compiler', claimed: 'gcc', observed: null, match: null })],
  ['divergence.replay', (r) => (r.divergence = { kind: 'stdout', expected: 'a', actual: 'b', replay: 1 })],
  [
    'desync.replays',
    (r) => (r.desync = { replays: [1, 9], tries: 1, alike: 0, before: [], expected: null, actual: null }),
  ],
  ['environment.seccomp_sha256', (r) => (r.environment!.seccomp_sha256 = other)],
  ['environment.harness_sha256', (r) => (r.environment!.harness_sha256 = other)],
  ['environment.mechanisms', (r) => (r.environment!.mechanisms = [])],
  ['environment.schedule', (r) => (r.environment!.schedule = 'chaos')],
  ['shard', (r) => (r.shard = '2/2')],
];

/** Changes the evidence record and all digests of it. */
function evidence(lie: (one: NonNullable<ReplayRecord['evidence']['record']>) => unknown) {
  return (record: ReplayRecord, collected: Collected): void => {
    lie(record.evidence.record!);
    collected.sources = collected.sources.filter(({ role }) => role !== 'evidence-record');
    record.evidence.record_sha256 = add(collected, 'evidence-record', canonicalJson(record.evidence.record));
  };
}

type Schema = { type?: string; properties?: Record<string, Schema>; items?: Schema; anyOf?: Schema[] };

/** Every path of a schema, as "replays[].seed". */
function pathsOf(schema: Schema, path = ''): string[] {
  if (schema.type === 'null') return [];
  if (schema.anyOf) return schema.anyOf.flatMap((one) => pathsOf(one, path));
  if (schema.items) return pathsOf(schema.items, `${path}[]`);
  if (!schema.properties) return [path];
  return Object.entries(schema.properties).flatMap(([name, one]) =>
    pathsOf(one, path ? `${path}.${name}` : name),
  );
}

describe('a field', () => {
  it('of the schema is in one class and only one', () => {
    const classes = [...SAID_BY_RECORDER, ...FOLLOWS.map(([path]) => path)];
    const covers = (path: string, one: string): boolean =>
      path === one || [`${one}.`, `${one}[`].some((begin) => path.startsWith(begin));
    const wrong = pathsOf(recordSchema() as Schema).filter((path) => {
      if (path === '' || /^claims\[\]\.(claimed|match)$/.test(path) || path === 'image.kind') return false;
      return classes.filter((one) => covers(path, one)).length !== 1;
    });
    expect([...new Set(wrong)]).toEqual([]);
  });

  it.each(FOLLOWS)('%s that says otherwise is refused', async (_, lie) => {
    const made = await makeCase(['a', 'a']);
    expect((await verifyBundle(await forge(made))).problems).toEqual([]);
    expect(await verifyBundle(await forge(made, lie))).toMatchObject({ accepted: false });
  });
});

describe('what contradicts itself is refused with its path:', () => {
  it.each<[string, (record: ReplayRecord) => unknown]>([
    ['$.replays[0].seed', (r) => (r.replays[0]!.seed = 9)],
    ['$.replays[0].attempts', (r) => (r.replays[0]!.attempts = 0)],
    ['$.degraded', (r) => Object.assign(r.environment!, FULL, { mechanisms: ['call_trace'] })],
    [
      '$.degraded',
      (r) => r.degraded.push('determinism without clock_trap (PR_SET_TSC): rdtsc tells real time'),
    ],
    ['$.started_at', (r) => (r.started_at = 'yesterday')],
    ['$.evidence.record.verified_at', (r) => (r.started_at = '2200-01-01T00:00:00.000Z')],
    ['$.duration_ms', (r) => (r.duration_ms = Number.MAX_SAFE_INTEGER)],
    ['$.environment', (r) => (r.environment = null)],
  ])('%s', async (path, lie) => {
    const made = await makeCase(['a', 'a']);
    const { problems } = await verifyBundle(await forge(made, lie));
    expect(problems.map(({ message }) => message)).toContainEqual(expect.stringContaining(`${path}: `));
  });

  it('$.custody[0].time, and entries that run backwards', async () => {
    const made = await makeCase(['a']);
    const lie = (record: ReplayRecord, collected: Collected): void => {
      const entry = collected.sources.find(({ role }) => role === 'custody')!;
      const changed = { ...JSON.parse(String(entry.from)), time: '2001-01-01T00:00:00.000Z' };
      collected.sources = collected.sources.filter((one) => one !== entry);
      record.evidence.custody!.sha256 = add(
        collected,
        'custody',
        canonicalJson(changed),
        '0000000001.json',
      ) as Digest;
    };
    const { problems } = await verifyBundle(await forge(made, lie));
    expect(problems.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('$.custody.time: '),
    );
  });
});
