import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { canonicalDigest, canonicalJson } from '../../src/base/canonical-json.ts';
import { parseJson } from '../../src/base/json.ts';

const limits = { sizeBytes: 1 << 20, depth: 64 };
const CASES = process.env.REENACT_CASES ? join(process.env.REENACT_CASES, 'jcs') : '';

describe('canonical JSON', () => {
  it('does not depend on the order of members', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const entries = Object.entries(value).reverse();
        expect(canonicalDigest(Object.fromEntries(entries))).toBe(canonicalDigest(value));
      }),
    );
  });

  it('is parsed back to the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), (value) => {
        const parsed = parseJson(Buffer.from(canonicalJson(value)), limits);
        expect(parsed.ok && canonicalJson(parsed.value)).toBe(canonicalJson(value));
      }),
    );
  });

  it('refuses what JSON cannot say', () => {
    for (const value of [Number.NaN, { a: [Number.POSITIVE_INFINITY] }, 1n, () => 1])
      expect(() => canonicalJson(value)).toThrow(TypeError);
  });

  if (!CASES || !existsSync(CASES))
    it.skip('agrees with RFC 8785’s vectors (skipped: REENACT_CASES names no folder with jcs/)', () =>
      undefined);
  else
    it.each(readdirSync(join(CASES, 'input')))('agrees with RFC 8785’s vector %s', (name) => {
      const parsed = parseJson(readFileSync(join(CASES, 'input', name)), limits);
      expect(parsed.ok && canonicalJson(parsed.value)).toBe(
        readFileSync(join(CASES, 'output', name), 'utf8').trimEnd(),
      );
    });
});

describe('the strict parser', () => {
  it('agrees with JSON.parse on what both accept', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const parsed = parseJson(Buffer.from(text), limits);
        if (parsed.ok) expect(JSON.parse(JSON.stringify(parsed.value))).toEqual(JSON.parse(text));
        else expect(parsed.problems.every((p) => /twice|surrogate/.test(p.message))).toBe(true);
      }),
    );
  });

  it.each([
    '{"a":1,}',
    '[1,]',
    '{a:1}',
    "{'a':1}",
    '01',
    '1.',
    '.5',
    '+1',
    'NaN',
    '[1 2]',
    '{"a" 1}',
    '"\u0001"',
    '"\\x"',
    '[',
    '{"a":',
    'tru',
    '',
  ])('refuses %s', (text) => {
    expect(parseJson(Buffer.from(text), limits).ok).toBe(false);
  });
});
