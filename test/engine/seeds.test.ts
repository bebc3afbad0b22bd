/** run --seeds: orders of turns by chance, to find a race that the usual order never shows, and to show it again. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { compilePages } from '../../setup/demo-image.ts';
import { functionsOf } from '../../src/objects/elf/functions.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import {
  describeEngine,
  manifest,
  reenact,
  replay,
  tempFolder,
  world,
  writeManifest,
} from '../support/world.ts';

const LOST = manifest('/bin/lost', { replays: 3, limits: { timeout: 60 } });

function hunt(seeds: number[], command = LOST): Promise<ReplayRecord> {
  return replay(command, {
    determinism: { mode: 'full', without: [], seeds },
    jobs: 4,
  });
}

/** The record that a run wrote as the last of its events. */
function recordIn(folder: string, events: string): ReplayRecord {
  const last = readFileSync(join(folder, events), 'utf8').trim().split('\n').at(-1)!;
  return (JSON.parse(last) as { record: ReplayRecord }).record;
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

  it('find the demo’s use after free, which becomes a manifest and crashes in the same place each time', async () => {
    const cwd = tempFolder();
    const image = `${world.pages.repository}@${world.pages.manifest}`;
    const capture = (...more: string[]) =>
      reenact(['capture', '--image', image, ...more, '--', 'pages'], { cwd });
    expect((await capture('--out', 'well.json')).stdout).toMatch(/^captured exit 0 /);
    await reenact(['run', 'well.json', '--seeds', '1..40', '--jobs', '4', '--events', 'hunt'], { cwd });
    const [first] = recordIn(cwd, 'hunt').replays.filter(({ signal }) => signal === 'SIGSEGV');
    const chosen = ['--seed', String(first!.seed), '--schedule', 'chaos'];
    expect((await capture('--out', 'crash.json', ...chosen)).stdout).toMatch(/^captured signal SIGSEGV /);
    const run = ['run', 'crash.json', '--replays', '5', '--jobs', '4', '--events'];
    const again = await reenact([...run, 'again'], { cwd });
    expect(again.status, again.stdout).toBe(0);
    expect(again.stdout).toMatch(/seed +\d+, decides all that the program sees, turns by chance\n/);
    const record = recordIn(cwd, 'again');
    expect(record.environment!.schedule).toBe('chaos');
    for (const { crash } of record.replays) expect(crash).toEqual(first!.crash);
    const program = join(cwd, 'pages');
    writeFileSync(program, compilePages(process.cwd()));
    const functions = [...functionsOf(program)];
    const names = first!.crash!.frames.map(
      ({ offset }) => functions.find((one) => Number(offset) - one.rel_addr < one.size)?.name,
    );
    // From the reader of a line to the first function of its thread.
    expect(names.slice(0, 4)).toEqual(['send_line', 'send_text', 'answer', 'work']);
    expect(first!.crash!.fault).toMatchObject({ area: 'unmapped' });
    // With determinism off the manifest still runs, and nothing takes its turns by chance.
    await reenact([...run, 'off', '--determinism', 'off'], { cwd });
    expect(recordIn(cwd, 'off').environment).not.toHaveProperty('schedule');
    expect((await capture('--schedule', 'fair')).stderr).toContain('--schedule is one of in_order, chaos');
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
    expect(done.stderr).toContain('16/16 replays');
    expect(done.stdout).toMatch(/seeds +1 to 16, each with its own order of turns/);
    const seed = /otherwise +signal SIGABRT, v1:[0-9a-f]{12}: (\d+)/.exec(done.stdout)![1]!;
    const again = await reenact(['run', 'lost.json', '--seeds', `${seed}..${seed}`], { cwd });
    expect(again.stdout).toContain('signal SIGABRT');
    for (const bad of ['1', '5..1', '1..9999999', 'a..b'])
      expect(await reenact(['run', 'lost.json', '--seeds', bad], { cwd })).toMatchObject({ status: 64 });
    const off = ['run', 'lost.json', '--seeds', '1..2', '--determinism', 'off'];
    expect(await reenact(off, { cwd })).toMatchObject({ status: 64 });
  });
});
