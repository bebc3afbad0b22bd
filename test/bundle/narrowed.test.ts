/** A verdict that holds only on one kind of machine says so wherever its record is verified or reported. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { diffBundles } from '../../src/bundle/diff/diff.ts';
import { verifyBundle } from '../../src/bundle/verify/verify.ts';
import { humanReport } from '../../src/report/human.ts';
import { makeCase, type TestCase } from '../support/case.ts';
import { type Change, forge } from '../support/forge.ts';
import { runVerifyText, unpack } from '../support/verify-text.ts';
import { reenact, tempFolder } from '../support/world.ts';

const ONLY = 'on the same processor: AMD family 25 model 17';
const EPYC = { vendor: 'AuthenticAMD', family: 25, model: 17, stepping: 1 };
const narrow: Change = ({ environment, degraded }) => {
  degraded.push(
    'determinism without cpuid_trap and cpuid_rewrite: cpuid tells this processor and core from others',
  );
  Object.assign(environment!, {
    determinism: 'full',
    mechanisms: ['call_trace', 'fixed_layout', 'clock_trap'],
    processor: EPYC,
  });
};
const whole: Change = (record, c) => {
  narrow(record, c);
  record.degraded = [];
  record.environment!.mechanisms = ['call_trace', 'fixed_layout', 'clock_trap', 'cpuid_rewrite'];
};

describe('a verdict that holds on one kind of processor', () => {
  let made: TestCase;
  let path: string;
  beforeAll(async () => {
    made = await makeCase(['a', 'a']);
    path = await forge(made, narrow);
  });

  it('is verified with that said, and another one without', async () => {
    const found = await verifyBundle(path);
    expect(found).toMatchObject({ accepted: true, holds_only: [ONLY] });
    expect((await reenact(['bundle', 'verify', path])).stdout).toContain(`  holds only   ${ONLY}\n`);
    const everywhere = await forge(made, whole);
    expect(await verifyBundle(everywhere)).toMatchObject({ accepted: true, holds_only: [] });
    expect((await reenact(['bundle', 'verify', everywhere])).stdout).not.toContain('holds only');
  });

  it('says so in the page and the commands inside, which can be run', () => {
    const folder = unpack(path);
    const page = readFileSync(join(folder, 'data/report.html'), 'utf8');
    expect(page).toContain(`<br>It holds only ${ONLY}.</div>`);
    expect(page).toContain('AMD family 25 model 17 stepping 1');
    expect(runVerifyText(folder)).toContain('"vendor": "AuthenticAMD"');
  });

  it('fails the gates of a reader who asks for all mechanisms', async () => {
    const { loadPolicy } = await import('../../src/policy/policy.ts');
    const demands = { policy: await loadPolicy('forensic'), nowMs: 0 };
    const { demanded } = await verifyBundle(path, { demands });
    const gate = demanded!.gates.find(({ name }) => name === 'forensic')!;
    expect(gate.value).toContain('cpuid tells this processor and core from others');
  });

  it('is not the same as one that holds everywhere', async () => {
    const found = await diffBundles(path, await forge(made, whole));
    expect(found.record.map(({ where }) => where)).toEqual(['degraded', 'environment mechanisms']);
    const elsewhere = await forge(made, (r, c) => {
      narrow(r, c);
      r.environment!.processor = { ...EPYC, model: 1 };
    });
    const differing = await diffBundles(path, elsewhere);
    expect(differing.record.map(({ where }) => where)).toEqual(['environment processor']);
  });

  it('says so in the report of a run', () => {
    const record = structuredClone(made.record);
    Object.assign(record.environment!, { mechanisms: [], processor: { ...EPYC, vendor: 'A\nB' } });
    const text = humanReport(record, { colour: false });
    expect(text).toContain('for programs that do not read rdtsc');
    expect(text.split('\n').some((line) => line.startsWith('B '))).toBe(false);
  });
});

it('two records of different kinds of machine are not compared in silence', async () => {
  const { writeFileSync } = await import('node:fs');
  const { out, record } = await makeCase(['a']);
  const folder = tempFolder();
  const write = (name: string, more: object): string => {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify({ ...record, environment: { ...record.environment, ...more } }));
    return path;
  };
  const mechanisms = ['call_trace', 'fixed_layout', 'clock_trap'];
  const here = write('a.json', { mechanisms, processor: EPYC });
  const there = write('b.json', { mechanisms, processor: { ...EPYC, model: 1 } });
  const done = await reenact(['diff', here, there, '--store', out]);
  expect(done).toMatchObject({ status: 0, stdout: 'the states are the same\n' });
  expect(done.stderr).toContain(
    'one holds only on AMD family 25 model 17, the other only on AMD family 25 model 1',
  );
  expect(await reenact(['diff', here, here, '--store', out])).toMatchObject({ stderr: '' });
});
