/** A trace's id is the digest of its canonical JSON, which can be computed from the output of trace show --json. */
import { expect, it } from 'vitest';

import { canonicalJson } from '../../../src/base/canonical-json.ts';
import { digestOf } from '../../../src/base/digest.ts';
import { traceIdOf } from '../../../src/trace/model/id.ts';
import { readTrace } from '../../../src/trace/read.ts';
import { IPS, NATIVE, SENTRY } from '../../support/traces.ts';

it('is the digest of canonical JSON, whatever order members are in', () => {
  for (const content of [SENTRY, IPS, NATIVE]) {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    const trace = readTrace(Buffer.from(text), 'trace');
    expect(traceIdOf(trace)).toBe(digestOf(canonicalJson(trace)));
  }
});
