/** A record as it is kept, and as run --json prints it. */
import { expect, it } from 'vitest';

import { readTrace } from '../../src/trace/read.ts';
import { parseRecord } from '../../src/verdict/parse.ts';
import { makeCase } from '../support/case.ts';
import { crashAt, inModule } from '../support/crash-sites.ts';

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value, null, 2));
const FAULT = { code: 'interrupted', message: 'interrupted', next: 'run it again' };

it('is read as an object, and as the array of run --json', async () => {
  const { record } = await makeCase(['a', 'a']);
  for (const form of [record, [record], [record, FAULT]])
    expect(parseRecord(bytes(form), 'r.json')).toEqual(record);
  expect(() => parseRecord(bytes([record, record]), 'r.json')).toThrow('r.json holds 2 replay records');
  expect(() => parseRecord(bytes([FAULT]), 'r.json')).toThrow('r.json is an array without a replay record');
  expect(() => parseRecord(bytes([{ ...record, seed: 1 }]), 'r.json')).toThrow('is no replay record');
});

it('is a trace in each form, JSON Lines too', async () => {
  const { record } = await makeCase(['a', 'a']);
  const crash = crashAt([inModule('/bin/app', '0x40')]);
  const crashed = { ...record, replays: record.replays.map((one) => ({ ...one, crash })) };
  const trace = readTrace(bytes(crashed), 'r.json');
  expect(trace).toMatchObject({ format: 'replay', signal: 'SIGSEGV' });
  expect(readTrace(bytes([crashed]), 'r.json')).toEqual(trace);
  expect(readTrace(Buffer.from(`${JSON.stringify(crashed)}\n`), 'r.jsonl')).toEqual(trace);
  expect(() => readTrace(bytes([crashed, crashed]), 'r.json')).toThrow('holds 2 replay records');
});
