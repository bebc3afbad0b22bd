/** Every code says what to do: what can be followed here is followed in test/cli/next-*.test.ts, the rest asks another. */
import { expect, it } from 'vitest';

import { REFUSALS } from '../../../src/evidence/common/refusal.ts';

const TO_DO =
  /^(?:ask|compare|correct|do not trust|fetch|get|give|have|if you trust|list|name|put|remove|report|sign|use|add) /;

it.each(Object.entries(REFUSALS))('%s', (_code, { next }) => {
  expect(next).toMatch(TO_DO);
});
