/** Sentry events: which stack is taken, which frames are physical, and what each address means. */
import { expect, it } from 'vitest';

import { DEBUG, GUID, ID, read, SENTRY } from '../../support/traces.ts';

it('a Sentry event: frames turned around, addresses in their images, the crashed thread once', () => {
  const trace = read(SENTRY);
  expect(trace).toMatchObject({ format: 'sentry', signal: 'SIGSEGV' });
  expect(trace.images.map(({ id, debug_id }) => [id, debug_id])).toEqual([
    [`elf:${ID}`, DEBUG],
    [`pdb:${GUID}-1`, `${GUID}1`],
  ]);
  expect(trace.threads.map(({ id, crashed }) => [id, crashed])).toEqual([
    [9, true],
    [10, false],
  ]);
  expect(trace.threads[0]!.frames).toMatchObject([
    { image: 0, rel_addr: '0x1ec7', activation: true, trust: 'context', claimed: 'callback' },
    // The byte behind the image: where its last call would come back to.
    { image: 0, rel_addr: '0x2000', activation: false, trust: 'fp', claimed: 'main' },
    { image: null, rel_addr: null, ip: '0x7f0000000100', trust: 'scan' },
  ]);
});

/** A Sentry event of one stack in the image at 0x500000000000, oldest first. */
const sentryOf = (exception: Record<string, unknown>): string[] => {
  const { frames } = read({ ...SENTRY, exception: { values: [{ thread_id: 9, ...exception }] } }).threads[0]!;
  return frames.map(({ rel_addr, activation, claimed }) => `${rel_addr}${activation ? '*' : ''} ${claimed}`);
};
const at = (offset: number, named?: string, lineno?: number): Record<string, unknown> => ({
  instruction_addr: `0x${(0x500000000000 + offset).toString(16)}`,
  ...{ function: named, lineno },
});

it('a processed Sentry event: the stack as it was sent is taken, and inlined calls are no frames', () => {
  const processed = { frames: [at(0x900, 'main', 9), at(0x100, 'outer', 3), at(0x100, 'inner', 2)] };
  expect(sentryOf({ stacktrace: processed })).toEqual(['0x100* inner, inlined in outer', '0x900 main']);
  const raw = { frames: [at(0x900), at(0x100)] };
  expect(sentryOf({ stacktrace: processed, raw_stacktrace: raw })).toEqual(['0x100* null', '0x900 null']);
  // One that has no addresses says less than the processed one.
  expect(sentryOf({ stacktrace: processed, raw_stacktrace: { frames: [{}] } })).toHaveLength(2);
  // A function that calls itself comes back to one place: each is a frame, with what was inlined into it.
  const recursive = { frames: [1, 2, 3].flatMap(() => [at(0x200, 'walk', 5), at(0x200, 'step', 7)]) };
  expect(sentryOf({ stacktrace: recursive })).toHaveLength(3);
});

it.each([
  ['auto', ['0x100* a', '0x900 b']],
  ['all_but_first', ['0x100* a', '0x900 b']],
  ['all', ['0x100 a', '0x900 b']],
  ['none', ['0x100* a', '0x900* b']],
  ['of a later version', ['0x100* a', '0x900 b']],
])('instruction_addr_adjustment %s', (instruction_addr_adjustment, right) => {
  const stacktrace = { instruction_addr_adjustment, frames: [at(0x900, 'b'), at(0x100, 'a')] };
  expect(sentryOf({ stacktrace })).toEqual(right);
  const { frames } = stacktrace;
  expect(sentryOf({ stacktrace: { instruction_addr_adjustment }, raw_stacktrace: { frames } })).toEqual(
    right,
  );
});

it('frames that the sender left out are missing', () => {
  const of = (frames_omitted: unknown): unknown =>
    read({ exception: { values: [{ stacktrace: { frames: [at(0x100)], frames_omitted } }] } }).threads[0]!
      .ended;
  expect(of([3, 10])).toMatchObject({ outermost: false, missing: 7 });
  for (const none of [null, [], [10, 3], ['x', 4]]) expect(of(none)).toBeUndefined();
});
