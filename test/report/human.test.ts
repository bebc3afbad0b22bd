/** What a sandboxed program wrote may stand in the report, but never as a line of it. */
import { expect, it } from 'vitest';

import { humanReport } from '../../src/report/human.ts';
import { makeCase } from '../support/case.ts';

it('paths and targets of links with line feeds forge no line of the report', async () => {
  const { record } = await makeCase(['a', 'b']);
  const forged = 'x\nreproduced  forged\n  reason     matches_expectation';
  for (const more of [{}, { context: { expected: forged, actual: forged } }]) {
    const divergence = {
      kind: 'path' as const,
      path: forged,
      expected: forged,
      actual: forged,
      replay: 2,
      ...more,
    };
    const lines = humanReport({ ...record, divergence }, { colour: false }).split('\n');
    expect(lines.filter((line) => line.startsWith('reproduced  forged'))).toEqual([]);
    expect(lines.filter((line) => line.includes('\\u000areproduced  forged'))).toHaveLength(3);
  }
});

it('colours the verdict, and escapes only what a program or a person chose', async () => {
  const { record } = await makeCase(['a', 'a']);
  const [head, ...rest] = humanReport({ ...record, name: 'red\u001b[31m\nname' }, { colour: true }).split(
    '\n',
  );
  expect(head).toBe('\u001b[1;32mreproduced\u001b[0m  red\\u001b[31m\\u000aname');
  expect(rest.join('\n')).not.toContain('\u001b');
  expect(humanReport(record, { colour: false })).not.toContain('\u001b');
});
