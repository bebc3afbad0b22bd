/** Comparing stacks: the same place, the same function, and what must never pass for either. */
import { expect, it } from 'vitest';

import { comparable, compareStacks, linkageNames } from '../../src/trace/compare.ts';
import type { JoinedFrame } from '../../src/trace/gap.ts';
import { worstOf } from '../../src/trace/reproduction.ts';

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
const verdict = (a: JoinedFrame[], b: JoinedFrame[]): unknown => {
  const { verdict: found, at } = compareStacks(a, b);
  return at === null ? found : `${found}@${at}`;
};

it('the same places of the same builds match; a stack that was cut short, as far as it goes', () => {
  const stack = [frame(0), frame(1), frame(2)];
  expect(verdict(stack, stack)).toBe('match');
  expect(verdict(stack.slice(0, 2), stack)).toBe('match');
  expect(verdict(stack, stack.slice(0, 2))).toBe('diverged@2');
  expect(verdict(stack, [frame(0), frame(5), frame(2)])).toBe('diverged@1');
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
  const compare = (a: string, b: string) => compareStacks([named(a)], [named(b, other)], names);
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
  const [a, b] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`];
  expect(verdict([frame(0, { loaded_sha256: a })], [frame(0, { loaded_sha256: b })])).toBe('diverged@0');
  expect(verdict([frame(0, { loaded_sha256: a })], [frame(0)])).toBe('match');
});

it('only the kernel’s own page is left out', () => {
  const path = (image_path: string): number => comparable([frame(0, { image_path })], [null]).length;
  expect([path('[vdso]'), path('linux-vdso.so.1'), path('/opt/vdso/evil'), path('/lib/vdso')]).toEqual([
    0, 0, 1, 1,
  ]);
  expect(comparable([frame(0, { image_id: null })], ['vdso+0x9'])).toEqual([]);
  expect(comparable([frame(0, { image_id: null })], ['vdsomething'])).toHaveLength(1);
});
