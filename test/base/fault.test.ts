/** What a Fault advises: the words of its code, unless more is known of the one case. */
import { expect, it } from 'vitest';

import { asFault, FAULTS, Fault } from '../../src/base/fault.ts';

it('a Fault advises what its code does, unless it knows better', () => {
  expect(new Fault('engine_failed', 'what happened').next).toBe(FAULTS.engine_failed.next);
  const better = new Fault('engine_failed', 'what happened', new Error('why'), 'do this');
  expect(better).toMatchObject({ code: 'engine_failed', next: 'do this', cause: { message: 'why' } });
  expect(asFault('usage', 'elsewhere', better)).toBe(better);
});
