/** What a trace says of a walk's end is kept in its id, read back, and must hold together. */
import { expect, it } from 'vitest';

import { canonicalTrace, traceIdOf } from '../../../src/trace/model/id.ts';
import { parseStored } from '../../../src/trace/model/stored.ts';
import type { Trace, WalkEnd } from '../../../src/trace/model/trace.ts';
import { readTrace } from '../../../src/trace/read.ts';
import { NATIVE } from '../../support/traces.ts';

const CUT: WalkEnd = { outermost: false, by: 'x', reason: 'no_file', detail: 'no file', missing: null };

function withEnd(ended: Partial<WalkEnd> | undefined): Trace {
  const threads = [{ id: 1, frames: [{ ip: '0x10' }], ...(ended ? { ended: { ...CUT, ...ended } } : {}) }];
  return readTrace(Buffer.from(JSON.stringify({ ...NATIVE, threads, code: 1, fault_address: '0x8' })), 'x');
}

it('is part of the trace, its form and its id, and left out where nobody said it', () => {
  const [silent, cut] = [withEnd(undefined), withEnd({})];
  expect(canonicalTrace(silent)).not.toContain('ended');
  expect(traceIdOf(cut)).not.toBe(traceIdOf(silent));
  expect(parseStored(Buffer.from(canonicalTrace(cut)))).toEqual({ ok: true, value: cut });
  expect(cut).toMatchObject({ code: 1, fault_address: '0x8', threads: [{ ended: CUT }] });
});

it.each([
  [{ reason: null }, 'was cut, and does not say why'],
  [{ missing: 0 }, 'was cut, and does not say why, or lacks nothing'],
  [{ outermost: true }, 'reached the outermost frame, and lacks some'],
  [{ reason: '; rm' }, 'reason'],
  [{ missing: -1 }, 'missing'],
])('%j is refused', (ended, words) => {
  expect(() => withEnd(ended)).toThrow(words);
});
