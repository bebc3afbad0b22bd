/** JUnit XML as its readers see it: it fails where the command does, hides nothing behind equal names, and says what a result holds for. */
import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';

import { exitStatus } from '../../src/cli/actions/run.ts';
import { junitReport } from '../../src/report/junit.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import { makeCase } from '../support/case.ts';

interface Read {
  tag: string;
  attributes: Record<string, string>;
  text: string;
  children: Read[];
}

/** An outside parser, so that malformed XML is found. */
function parsed(xml: string): Read {
  const script = `
import json, sys, xml.etree.ElementTree as tree
def read(e): return {'tag': e.tag, 'attributes': e.attrib, 'text': e.text or '', 'children': [read(c) for c in e]}
print(json.dumps(read(tree.fromstring(sys.stdin.buffer.read()))))`;
  return JSON.parse(execFileSync('python3', ['-c', script], { input: xml }).toString()) as Read;
}

const below = (root: Read, tag: string): Read[] =>
  root.children.flatMap((one) => [...(one.tag === tag ? [one] : []), ...below(one, tag)]);

/** Every case that failed: class, name, kind, type. */
function failed(root: Read): string[] {
  return below(root, 'testcase').flatMap(({ attributes: a, children }) =>
    children
      .filter(({ tag }) => tag === 'failure' || tag === 'error')
      .map(({ tag, attributes }) => `${a.classname} ${a.name}: ${tag} ${attributes.type}`),
  );
}

let good: ReplayRecord;
let differing: ReplayRecord;
beforeAll(async () => {
  const environment = {
    engine: 'docker 20.10.24',
    api_version: '1.41',
    kernel: '6.18.44',
    cpu: 'AMD EPYC',
    processor: { vendor: 'AuthenticAMD', family: 25, model: 17, stepping: 1 },
    storage_driver: 'overlay2',
    capture: 'overlay' as const,
    seccomp_sha256: (await makeCase(['a'])).record.policy.sha256,
    harness_sha256: (await makeCase(['a'])).record.policy.sha256,
    determinism: 'full' as const,
    mechanisms: ['call_trace' as const, 'fixed_layout' as const, 'clock_trap' as const],
    trusted: [],
  };
  good = { ...(await makeCase(['a', 'a'])).record, environment };
  differing = { ...(await makeCase(['a', 'a', 'a', 'b'])).record, environment };
});

const infra = { outcome: 'infra_error', final_state_sha256: null } as const;
/** What each kind of record is made of a good one by, the command's status, and what fails. */
const ROWS: [string, (record: ReplayRecord) => ReplayRecord, number, string[]][] = [
  ['reproduced', (r) => r, 0, []],
  [
    'a failed gate',
    (r) => ({ ...r, gates: [...r.gates, { name: 'forensic', threshold: true, value: false, pass: false }] }),
    1,
    ['m.json gate forensic: failure gate'],
  ],
  [
    'two failed gates',
    (r) => ({
      ...r,
      gates: [
        { name: 'image_check', threshold: 'content', value: 'engine', pass: false },
        { name: 'mechanisms', threshold: 'all', value: 'without cpuid_trap', pass: false },
      ],
    }),
    1,
    ['m.json gate image_check: failure gate', 'm.json gate mechanisms: failure gate'],
  ],
  [
    'diverged',
    () => differing,
    1,
    [
      'm.json replay 4: failure diverged',
      'm.json gate replay_ratio: failure gate',
      'm.json verdict: failure states_differ',
    ],
  ],
  [
    'an expectation that all replays miss',
    (r) => ({
      ...r,
      verdict: 'diverged',
      reason: 'expectation_not_met',
      replays: r.replays.map((one) => ({ ...one, outcome: 'diverged' as const })),
    }),
    1,
    [
      'm.json replay 1: failure diverged',
      'm.json replay 2: failure diverged',
      'm.json verdict: failure expectation_not_met',
    ],
  ],
  [
    'replays that match and prove nothing: another processor',
    (r) => ({ ...r, verdict: 'inconclusive', reason: 'other_processor' }),
    3,
    ['m.json verdict: error other_processor'],
  ],
  [
    'replays left out',
    (r) => ({ ...r, verdict: 'inconclusive', reason: 'not_all_replayed' }),
    3,
    ['m.json verdict: error not_all_replayed'],
  ],
  [
    'the infrastructure failed',
    (r) => ({
      ...r,
      verdict: 'inconclusive',
      reason: 'engine_failed',
      replays: r.replays.map((one, n) =>
        n === 0
          ? one
          : { ...one, ...infra, ended: null, error: { code: 'engine_failed', message: 'it broke' } },
      ),
    }),
    3,
    ['m.json replay 2: error engine_failed', 'm.json verdict: error engine_failed'],
  ],
  [
    'a time limit',
    (r) => ({
      ...r,
      verdict: 'inconclusive',
      reason: 'limit_timeout',
      replays: r.replays.map((one) => ({ ...one, ...infra, ended: 'timeout' as const })),
    }),
    3,
    [
      'm.json replay 1: error timeout',
      'm.json replay 2: error timeout',
      'm.json verdict: error limit_timeout',
    ],
  ],
  [
    'rejected evidence, nothing run',
    (r) => ({
      ...r,
      verdict: 'rejected',
      reason: 'signature_invalid',
      message: 'no key',
      replays: [],
      gates: [],
    }),
    2,
    ['m.json verdict: error signature_invalid'],
  ],
  [
    'an image that cannot be had, nothing run',
    (r) => ({
      ...r,
      verdict: 'inconclusive',
      reason: 'image_not_found',
      message: 'gone',
      replays: [],
      gates: [],
    }),
    3,
    ['m.json verdict: error image_not_found'],
  ],
];

describe.each(['testsuites', 'testsuite'] as const)('under the root %s', (top) => {
  it.each(ROWS)('%s', (_name, make, status, wanted) => {
    const records = [make(good)];
    expect(exitStatus(records)).toBe(status);
    const root = parsed(junitReport(records, top));
    expect(root.tag).toBe(top);
    expect(failed(root)).toEqual(wanted);
    for (const problem of [...below(root, 'failure'), ...below(root, 'error')]) {
      expect(problem.attributes.message).not.toBe('');
      expect(problem.text).not.toBe('');
    }
  });

  it('counts what is in it', () => {
    const root = parsed(
      junitReport(
        ROWS.map(([, make], n) => ({ ...make(good), manifest_path: `${n}.json` })),
        top,
      ),
    );
    const suites = top === 'testsuites' ? [root, ...root.children] : [root];
    for (const suite of suites) {
      const cases = below(suite, 'testcase');
      const of = (tag: string): string => String(below(suite, tag).length);
      expect(suite.attributes).toMatchObject({
        tests: String(cases.length),
        failures: of('failure'),
        errors: of('error'),
        skipped: '0',
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/),
      });
      expect(Number(suite.attributes.time)).toBeGreaterThanOrEqual(0);
    }
    expect(root.attributes).toMatchObject({ failures: '9', errors: '9' });
  });

  it('manifests of one name, and one manifest twice, have no case in common', () => {
    const same = ['a/m.json', 'b/m.json', 'b/m.json'].map((path) => ({
      ...good,
      name: 'same',
      manifest_path: path,
    }));
    const root = parsed(junitReport([...same, { ...differing, name: 'same' }], top));
    const names = below(root, 'testcase').map(({ attributes: a }) => `${a.classname} ${a.name}`);
    expect(new Set(names).size).toBe(names.length);
    expect([...new Set(below(root, 'testcase').map(({ attributes }) => attributes.classname))]).toEqual([
      'a/m.json',
      'b/m.json',
      'b/m.json (2)',
      'm.json',
    ]);
  });
});

it('names do not depend on what else is in the report, nor on what a manifest calls itself', () => {
  const names = (records: ReplayRecord[]): string[] =>
    below(parsed(junitReport(records)), 'testcase').map(({ attributes: a }) => `${a.classname} ${a.name}`);
  const gates = good.gates.map(({ name }) => `m.json gate ${name}`);
  const alone = ['m.json replay 1', 'm.json replay 2', ...gates, 'm.json verdict'];
  expect(names([good])).toEqual(alone);
  expect(
    names([
      { ...good, manifest_path: 'other.json' },
      { ...good, name: 'renamed' },
    ]),
  ).toEqual(expect.arrayContaining(alone));
});

it('shards of one run can be merged', () => {
  const names = ['1/2', '2/2'].flatMap((shard, n) => {
    const record = { ...good, shard, replays: [good.replays[n]!] };
    return below(parsed(junitReport([record])), 'testcase').map(({ attributes }) => attributes.name);
  });
  expect(new Set(names).size).toBe(names.length);
});

it('says what the result holds for alone, in properties and beside the verdict', () => {
  const root = parsed(junitReport([good]));
  const properties = Object.fromEntries(
    below(root, 'property').map(({ attributes: { name, value } }) => [name, value]),
  );
  expect(properties).toMatchObject({
    name: good.name,
    verdict: 'reproduced',
    kernel: '6.18.44',
    processor: 'AMD EPYC',
    mechanisms: 'call_trace, fixed_layout, clock_trap',
    determinism: 'full',
    manifest_sha256: good.manifest_sha256,
  });
  const [said] = below(root, 'system-out');
  expect(said!.text).toMatch(/^reproduced: /);
  expect(said!.text).toContain(`holds only ${properties.holds_only!.split('; ')[0]}`);
  const whole = { ...good, environment: { ...good.environment!, determinism: 'off' as const } };
  delete whole.environment.mechanisms;
  expect(junitReport([whole])).not.toContain('holds');
});

it('where replays differ is told, whatever bytes the program wrote', () => {
  const forged = 'x\u0000\u001b[31m"/><testcase name="forged"/>\n]]>\ud800';
  const divergence = { kind: 'path' as const, path: forged, expected: forged, actual: 'y', replay: 4 };
  const root = parsed(junitReport([{ ...differing, divergence, manifest_path: forged }]));
  expect(below(root, 'testcase').filter(({ attributes }) => attributes.name === 'forged')).toEqual([]);
  const [failure] = below(root, 'failure');
  expect(failure!.text).toContain('seed 1, ended: exit 0');
  expect(failure!.text).toContain('first difference: path, x\\u0000\\u001b[31m"/>');
  expect(failure!.text).toContain('\n  actual   y');
});
