/** The JSON Schemas that editors and readers are given: each says of every field, at every depth, what it means. */
import { describe, expect, it } from 'vitest';

import { fieldsOf } from '../../src/base/schema-fields.ts';
import { SCHEMA_NAMES, type SchemaName, schema } from '../../src/library/schemas.ts';

/** Of each format: how many fields it has at least, and some of them at a depth. */
const SOME: Record<SchemaName, [least: number, paths: string[]]> = {
  manifest: [50, ['limits.timeout', 'inputs[].sha256', 'expect.crash.signature.frames']],
  record: [250, ['evidence.record.envelopes[].checks[].code', 'replays[].crash.frames[].function.offset']],
  policy: [60, ['authorities[].keyless.runnerEnvironment', 'trust.logs[].witnesses.min']],
  evidence: [70, ['envelopes[].signers[].certificate.buildTrigger', 'requirements[].met']],
  trace: [25, ['threads[].frames[].rel_addr', 'images[].debug_id']],
  join: [100, ['symbols[].evidence[].within[].sha256', 'frames[].places[].line']],
};

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[a-z0-9]{2,}/g) ?? [];

/** The words of a description that its field's name does not say already. */
function newWords(path: string, description: string): string[] {
  const said = wordsOf(path.split('.').at(-1) ?? '');
  return wordsOf(description).filter((word) => !said.includes(word) && word !== 'the' && word !== 'its');
}

describe.each(SCHEMA_NAMES)('the schema of the %s', (name) => {
  const fields = fieldsOf(schema(name));

  it('describes each field at every depth', () => {
    const [least, paths] = SOME[name];
    expect(fields.length).toBeGreaterThanOrEqual(least);
    expect(fields.map(({ path }) => path)).toEqual(expect.arrayContaining(paths));
    const silent = fields.filter(({ description = '' }) => wordsOf(description).length < 2);
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it('says more of a field than its name', () => {
    const empty = fields.filter(({ path, description = '' }) => newWords(path, description).length === 0);
    expect(empty.map(({ path, description }) => `${path}: ${description}`)).toEqual([]);
  });
});
