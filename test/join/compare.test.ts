/** Comparing stacks: the same place, the same function, and what must never pass for either. */
import { expect, it } from 'vitest';

import { digestFromHex } from '../../src/base/digest.ts';
import { comparable, compareStacks, linkageNames, type Stack } from '../../src/join/compare.ts';
import type { JoinedFrame } from '../../src/join/gap.ts';
import { reproductionGate, worstOf } from '../../src/join/reproduction.ts';

const evidence = {
  evidence: 1,
  dsse: 'dsse:x',
  verified: true,
  error: null,
  signers: ['k'],
  signed_at: null,
  tile_ref: null,
};

function frame(index: number, more: Partial<JoinedFrame> = {}): JoinedFrame {
  return {
    ...{
      index,
      thread: 0,
      ip: '0x1',
      image_id: 'elf:aa',
      image_path: '/bin/app',
      arch: null,
      loaded_sha256: null,
    },
    ...{
      rel_addr: `0x${index}0`,
      activation: index === 0,
      trust: 'cfi',
      places: [],
      degraded: false,
      status: null,
    },
    ...{ bundle: null, artifact: null, candidates: 0, gap: null },
    ...more,
  };
}

const named = (name: string, more: Partial<JoinedFrame> = {}): JoinedFrame =>
  frame(0, {
    places: [{ function: name, file: null, line: null, column: null }],
    bundle: { ...{ sha256: 's', name: 'n', format: 'elf', quality: 5, lacks: [] }, evidence },
    ...more,
  });
const CUT = { outermost: false, by: 'x', reason: 'no_file', detail: null, missing: null };
const WHOLE = { outermost: true, by: 'x', reason: null, detail: null, missing: 0 };
const whole = (frames: JoinedFrame[]): Stack => ({ frames, ended: WHOLE });
const cut = (frames: JoinedFrame[]): Stack => ({ frames, ended: CUT });
const silent = (frames: JoinedFrame[]): Stack => ({ frames, ended: null });
const shown = (a: Stack, b: Stack): string => {
  const { verdict: found, at, known } = compareStacks(a, b);
  return `${found}${at === null ? '' : `@${at}`} ${known}`;
};
const verdict = (a: JoinedFrame[], b: JoinedFrame[]): string =>
  shown(whole(a), whole(b)).replace(/ \d+$/, '');

it('the same places of the same builds match, to the outermost frame', () => {
  const stack = [frame(0), frame(1), frame(2)];
  expect(shown(whole(stack), whole(stack))).toBe('match 3');
  // The one says what the other leaves open.
  expect(shown(silent(stack), whole(stack))).toBe('match 3');
  expect(shown(cut(stack), whole(stack))).toBe('match 3');
  expect(shown(whole(stack), cut(stack))).toBe('match 3');
  expect(verdict(stack, [frame(0), frame(5), frame(2)])).toBe('diverged@1');
});

it('of a stack that was cut, the rest is not known, and no match', () => {
  const stack = [frame(0), frame(1), frame(2)];
  for (const open of [cut, silent]) {
    expect(shown(open(stack.slice(0, 1)), whole(stack))).toBe('match_as_far_as_known 1');
    expect(shown(whole(stack), cut(stack.slice(0, 2)))).toBe('match_as_far_as_known 2');
    expect(shown(open(stack), cut(stack))).toBe('match_as_far_as_known 3');
    expect(shown(open(stack), whole([frame(0), frame(7), frame(2)]))).toBe('diverged@1 1');
  }
  const other = { image_id: 'elf:bb', rel_addr: '0x99' };
  expect(shown(cut([named('parse')]), cut([named('parse', other)]))).toBe('match_as_far_as_known 1');
});

it('two whole stacks of different lengths are two crashes', () => {
  const stack = [frame(0), frame(1), frame(2)];
  expect(shown(whole(stack), whole(stack.slice(0, 2)))).toBe('diverged@2 2');
  expect(shown(whole(stack.slice(0, 2)), whole(stack))).toBe('diverged@2 2');
  expect(worstOf([compareStacks(whole(stack.slice(0, 2)), whole(stack))]).reason).toContain(
    'goes on at frame 2',
  );
});

it.each([
  [{ verdict: 'match', known: 1 }, {}, true],
  [{ verdict: 'match_fn', known: 1 }, {}, true],
  [{ verdict: 'match_as_far_as_known', known: 1 }, {}, false],
  [{ verdict: 'match_as_far_as_known', known: 7 }, {}, false],
  [{ verdict: 'match_as_far_as_known', known: 8 }, {}, true],
  [{ verdict: 'match_as_far_as_known', known: 3 }, { known_frames: 3 }, true],
  [{ verdict: 'diverged', known: 60 }, {}, false],
  [{ verdict: 'no_crash', known: 0 }, {}, false],
  [{ verdict: 'unreplayable', known: 0 }, {}, false],
] as const)('the gate of %j under %j: %s', (reproduction, gates, pass) => {
  expect(reproductionGate(reproduction, gates)).toMatchObject({ name: 'reproduction', pass });
});

it('the same function of another build is less, and counts only where its symbols are vouched for', () => {
  const other = { image_id: 'elf:bb', rel_addr: '0x99' };
  expect(verdict([named('parse')], [named('parse', other)])).toBe('match_fn');
  expect(verdict([named('parse')], [named('walk', other)])).toBe('diverged@0');
  const refused = { ...evidence, verified: false };
  const unvouched = { ...named('parse').bundle!, evidence: refused };
  expect(verdict([named('parse')], [named('parse', { ...other, bundle: unvouched })])).toBe('diverged@0');
  // Every program has a main.
  expect(verdict([named('main')], [named('main', { ...other, image_path: '/bin/zz' })])).toBe('diverged@0');
});

it('readers that write one name in two ways name one function, and say what they leave open', () => {
  const other = { image_id: 'elf:bb', rel_addr: '0x99' };
  const names = new Map([['_Z5parsei', 'parse(int)']]);
  const compare = (a: string, b: string) => compareStacks(whole([named(a)]), whole([named(b, other)]), names);
  expect(compare('_Z5parsei', 'parse(int)')).toMatchObject({ verdict: 'match_fn', pairs: [{ lost: [] }] });
  expect(compare('_Z5parsei.cold', 'parse(int)').verdict).toBe('match_fn');
  expect(compare('_Z5parsei', 'parse(long)').verdict).toBe('diverged');
  expect(worstOf([compare('_Z5parsei', 'parse')]).reason).toContain('of 1 the names do not say which');
  expect(linkageNames([named('_Z5parsei.cold'), named('main')])).toEqual(['_Z5parsei']);
});

it('what lies in no build is compared with nothing', () => {
  const nowhere = { image_id: null, image_path: null, rel_addr: null };
  expect(verdict([frame(0, nowhere)], [frame(0, { ...nowhere, ip: '0x41414141' })])).toBe('diverged@0');
  const path = { image_id: 'none:/bin/a' };
  expect(verdict([frame(0, path)], [frame(0, path)])).toBe('diverged@0');
  expect(verdict([frame(0, nowhere), frame(1)], [frame(0, nowhere), frame(1)])).toBe('match');
  expect(verdict([frame(0, nowhere)], [frame(0)])).toBe('diverged@0');
  expect(verdict([], [])).toBe('diverged@0');
});

it('one id and two files that are said to be others is no match', () => {
  const [a, b] = [digestFromHex('a'.repeat(64)), digestFromHex('b'.repeat(64))];
  expect(verdict([frame(0, { loaded_sha256: a })], [frame(0, { loaded_sha256: b })])).toBe('diverged@0');
  expect(verdict([frame(0, { loaded_sha256: a })], [frame(0)])).toBe('match');
});

it('only the kernel’s own page is left out', () => {
  const path = (image_path: string): number => comparable([frame(0, { image_path })]).length;
  expect([path('[vdso]'), path('linux-vdso.so.1'), path('/opt/vdso/evil'), path('/lib/vdso')]).toEqual([
    0, 0, 1, 1,
  ]);
});
