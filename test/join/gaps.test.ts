/** Gaps and gates: grouped by what closes them, the worst first, near misses told apart; absence never passes. */
import { expect, it } from 'vitest';
import type { NearMiss } from '../../src/join/gap.ts';
import { GAP_CODES, type GapCode, type JoinedFrame } from '../../src/join/gap.ts';
import { gapsOf } from '../../src/join/gaps.ts';
import { judgedFrames } from '../../src/join/gates.ts';
import { remedyOf } from '../../src/join/remedy.ts';
import { type JudgedFrame, judgeJoins } from '../../src/verdict/custody.ts';

const GUID = '3249D99D0C4049318610F4E4FB0B6936';

function frame(index: number, gap: GapCode | null, more: Partial<JoinedFrame> = {}): JoinedFrame {
  return {
    ...{
      index,
      thread: 0,
      ip: '0x1000',
      image_id: `elf:${'a'.repeat(40)}`,
      image_path: '/bin/app',
      arch: 'x86_64',
    },
    ...{
      loaded_sha256: null,
      rel_addr: '0x10',
      activation: index === 0,
      trust: 'cfi',
      places: [],
      degraded: false,
    },
    ...{ status: null, bundle: null, artifact: null, candidates: 0, gap },
    ...more,
  };
}

it('groups by image and code, counts what the gate sees, and puts the worst first', () => {
  const libc = { image_id: 'elf:bb', image_path: '/lib/libc.so.6' };
  const frames = [
    frame(0, 'bundle_missing'),
    frame(1, 'no_symbol_at_addr', libc),
    frame(2, 'bundle_missing'),
    frame(3, null),
    frame(4, 'bundle_missing', { thread: 1 }),
  ];
  const gaps = gapsOf(frames, new Map());
  expect(gaps.map(({ code, frames: which, gated, wins }) => [code, which, gated, wins])).toEqual([
    ['bundle_missing', [0, 2, 4], 2, 0.5],
    ['no_symbol_at_addr', [1], 1, 0.25],
  ]);
});

it('says what was found instead: the age of a PDB, another UUID, another build of the same code', () => {
  const near = (code: GapCode, id: string): NearMiss => ({
    code,
    id,
    arch: 'arm64',
    name: 'app',
    sha256: 'sha256:0',
  });
  const mend = (id: string, miss: NearMiss): string => {
    const [gap] = gapsOf([frame(0, 'bundle_missing', { image_id: id })], new Map([[id, [miss]]]));
    return `${gap!.code}: ${gap!.expected} / ${gap!.actual} / ${gap!.remedy}`;
  };
  expect(mend(`pdb:${GUID}-1`, near('pdb_age_mismatch', `pdb:${GUID}-2`))).toMatch(
    /^pdb_age_mismatch: PDB Age 1 of GUID 3249.* \/ PDB Age 2 found \/ the PDB was rewritten/,
  );
  expect(mend('macho:67e9247c814e392ba027dbde6748fcbf', near('uuid_mismatch', 'macho:00'))).toMatch(
    /upload dSYM UUID 67E9247C-814E-392B-A027-DBDE6748FCBF arch x86_64; find it with dwarfdump --uuid/,
  );
  expect(mend('elf:aa', near('build_id_mismatch_same_text', 'elf:bb'))).toContain('linked again');
});

it('has a remedy for every code', () => {
  for (const code of GAP_CODES) {
    const { expected, actual, remedy } = remedyOf(code, frame(0, code, { image_id: `pdb:${GUID}-1` }), []);
    expect(`${expected}${actual}${remedy}`).not.toContain('undefined is');
    expect(remedy.length).toBeGreaterThan(10);
  }
});

it('an id that a script lacks is the bundler’s to write, a program’s the linker’s', () => {
  const mend = (arch: string): string => {
    const { expected, remedy } = remedyOf('no_image_id', frame(0, 'no_image_id', { arch }), []);
    return `${expected}: ${remedy}`;
  };
  expect(mend('javascript')).toMatch(/bundler wrote: .*debug ids/);
  expect(mend('x86_64')).toMatch(/linker wrote: .*--build-id/);
});

const whole = { signers: ['k'], signed_at: '2026-01-01T00:00:00Z', tile_ref: 'rekor:x' };
const judged = (count: number, joined: number, vouched = [whole, whole]): JudgedFrame[] =>
  Array.from({ length: count }, (_, index) => ({
    index,
    gap: index < joined ? null : 'bundle_missing',
    vouched,
  }));
const passes = (frames: JudgedFrame[], gates = {}): boolean[] =>
  judgeJoins(frames, gates).map(({ pass }) => pass);

it('joins 95 of 100 frames by default, or as many as the policy says, of the first fifty', () => {
  expect(passes(judged(20, 19))).toEqual([true, true]);
  expect(passes(judged(20, 18))).toEqual([false, true]);
  expect(passes(judged(20, 18), { join_completeness: 0.9 })).toEqual([true, true]);
  // What lies behind the fiftieth frame counts neither for nor against.
  expect(passes(judged(200, 50))).toEqual([true, true]);
});

it('a cut walk counts the frames that it lacks: one and no more frame is never all of them', () => {
  const ratio = (count: number, lacking: number | null): unknown =>
    judgeJoins(judged(count, count), {}, lacking)[0]!.value;
  expect([ratio(1, 0), ratio(1, null), ratio(7, null), ratio(19, null), ratio(3, 1)]).toEqual([
    ...[1, 1 / 8, 7 / 8, 19 / 20],
    3 / 4,
  ]);
  expect([ratio(50, null), ratio(60, null)]).toEqual([1, 1]);
});

it('a walk that was cut is a gap of its own, with what helps', () => {
  const cut = { outermost: false, by: 'reenact', reason: 'no_file', detail: 'after frame 0', missing: null };
  const [gap] = gapsOf([frame(0, null)], new Map(), cut);
  expect(gap).toMatchObject({ code: 'walk_cut', frames: [], gated: 7, wins: 7 / 8 });
  expect(gap!.remedy).toContain('--exec FILE');
  expect(gapsOf([frame(0, null)], new Map(), { ...cut, outermost: true })).toEqual([]);
});

it('frames of the kernel’s own page are no gap, and no gate counts them', () => {
  const vdso = frame(0, 'no_image_id', { image_id: 'none:[vdso]', image_path: '[vdso]' });
  expect(gapsOf([vdso, frame(1, null)], new Map())).toEqual([]);
  expect(judgedFrames([vdso, frame(1, null)]).map(({ index }) => index)).toEqual([1]);
});

it('absence is no success: no frames, or none joined', () => {
  expect(passes([])).toEqual([false, false]);
  expect(passes(judged(3, 0), { join_completeness: 0 })).toEqual([true, false]);
});

it('a chain of custody lacks nothing: signer, time and log entry, of symbols and of artifact', () => {
  const without = (what: Partial<typeof whole> | { signed_at: null } | { tile_ref: null }): unknown[] =>
    judgeJoins(judged(2, 2, [whole, { ...whole, ...what } as typeof whole]), {})
      .filter(({ name }) => name === 'chain_of_custody')
      .map(({ pass, value }) => [pass, value]);
  expect(without({ signers: [] })).toEqual([[false, 'frame 0: no signer']]);
  expect(without({ tile_ref: null })).toEqual([[false, 'frame 0: no log entry']]);
  expect(without({ signed_at: null })).toEqual([[false, 'frame 0: no time that anybody vouches for']]);
  const keyed = { signers: ['k'], signed_at: null, tile_ref: null } as never;
  expect(passes(judged(2, 2, [keyed, keyed]), { chain_of_custody: 'signed' })).toEqual([true, true]);
});
