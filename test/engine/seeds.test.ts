/** run --seeds: orders of turns by chance, to find a race that the usual order never shows, and to show it again. */
import { expect, it } from 'vitest';

import type { ReplayRecord } from '../../src/verdict/record.ts';
import { describeEngine, manifest, reenact, replay, tempFolder, writeManifest } from '../support/world.ts';

const LOST = manifest('/bin/lost', { replays: 3, limits: { timeout: 60 } });

function hunt(seeds: number[], command = LOST): Promise<ReplayRecord> {
  return replay(command, {
    determinism: { mode: 'full', without: [], seeds },
    jobs: 4,
  });
}

const endings = ({ replays }: ReplayRecord): (string | null)[] =>
  replays.map(({ signal, final_state_sha256 }) => signal ?? final_state_sha256);

describeEngine('seeds', () => {
  it('find a lost update that the usual order never loses, each the same again', async () => {
    expect(await replay(LOST)).toMatchObject({ verdict: 'reproduced' });
    const seeds = Array.from({ length: 16 }, (_, i) => i + 1);
    const found = await hunt(seeds);
    expect(found.environment!.schedule).toBe('chaos');
    expect(found.replays.map(({ seed }) => seed)).toEqual(seeds);
    const lost = found.replays.filter(({ signal }) => signal === 'SIGABRT').map(({ seed }) => seed);
    console.log(`seeds: ${lost.length} of ${seeds.length} lost an update: ${lost.join(', ')}`);
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.length).toBeLessThan(seeds.length);
    expect(endings(await hunt(seeds))).toEqual(endings(found));
    const again = await hunt(Array.from({ length: 3 }, () => lost[0]!));
    expect(again).toMatchObject({ verdict: 'reproduced', replay_success_ratio: 1 });
    expect(again.replays[0]).toMatchObject({ signal: 'SIGABRT' });
  });

  it.each(['/bin/races lock', '/bin/processes'])('%s ends well under each of them', async (command) => {
    const found = await hunt([1, 1, 2, 2, 3, 3], manifest(command, { limits: { timeout: 60 } }));
    expect(found.replays.map(({ ended }) => ended)).toEqual(Array(6).fill('exit'));
    const states = found.replays.map(({ final_state_sha256 }) => final_state_sha256);
    for (const i of [0, 2, 4]) expect(states[i]).toBe(states[i + 1]);
  });

  it('take no breakpoint of the program’s own for a step of theirs', async () => {
    const seeds = Array.from({ length: 10 }, (_, i) => i + 1);
    const found = await hunt(seeds, manifest('/bin/breakpoints', { limits: { timeout: 60 } }));
    expect(found.replays.map(({ exit_code }) => exit_code)).toEqual(seeds.map(() => 0));
  });

  it('of the command are a range, and the report names those that ended otherwise', async () => {
    const cwd = tempFolder();
    writeManifest(cwd, LOST, 'lost.json');
    const done = await reenact(['run', 'lost.json', '--seeds', '1..16', '--jobs', '4'], { cwd });
    expect(done.stdout).toMatch(/seeds +1 to 16, each with its own order of turns/);
    const seed = /otherwise +signal SIGABRT: (\d+)/.exec(done.stdout)![1]!;
    const again = await reenact(['run', 'lost.json', '--seeds', `${seed}..${seed}`], { cwd });
    expect(again.stdout).toContain('signal SIGABRT');
    for (const bad of ['1', '5..1', '1..9999999', 'a..b'])
      expect(await reenact(['run', 'lost.json', '--seeds', bad], { cwd })).toMatchObject({ status: 64 });
    const off = ['run', 'lost.json', '--seeds', '1..2', '--determinism', 'off'];
    expect(await reenact(off, { cwd })).toMatchObject({ status: 64 });
  });
});
