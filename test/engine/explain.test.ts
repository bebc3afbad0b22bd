/** run --explain: where replays part is named by thread, call and answer, and nothing is made up where they do not. */
import { expect, it } from 'vitest';

import { describeEngine, manifest, reenact, replay, tempFolder, writeManifest } from '../support/world.ts';

function without(mechanism: 'fixed_layout' | 'clock_trap') {
  return { mode: 'full' as const, without: [mechanism] };
}

describeEngine('where replays part', () => {
  it('is the call that says another time, when only rdtsc tells it', async () => {
    const record = await replay(manifest('/bin/entropy', { replays: 3 }), {
      determinism: without('clock_trap'),
      explain: true,
    });
    const { desync } = record;
    expect(desync!.replays[0]).not.toBe(desync!.replays[1]);
    expect(desync!.tries).toBe(1);
    for (const event of [desync!.expected!, desync!.actual!])
      expect(event).toMatchObject({ kind: 'call', name: 'writev', thread: 20 });
    expect(desync!.expected!.arguments[0]).toBe('0x1');
    expect(desync!.expected!.data).not.toBe(desync!.actual!.data);
    expect(desync!.before).toHaveLength(3);
    expect(desync!.alike).toBeGreaterThan(3);
  });

  it('is the first call of all, by its registers, when addresses are random', async () => {
    const cwd = tempFolder();
    writeManifest(cwd, manifest('/bin/entropy', { replays: 3 }), 'm.json');
    const args = ['run', 'm.json', '--explain', '--without', 'fixed_layout', '--allow-degraded'];
    const { stdout } = await reenact(args, { cwd });
    expect(stdout).toMatch(/parts +at event 1 of replays \d and \d, run again, by .*registers\n/);
    expect(stdout).toMatch(/ +expected +thread 20: .*\n +actual +thread 20: /);
  });

  it('is nowhere when they agree, and the record does not speak of it', async () => {
    const record = await replay(manifest('/bin/races lock', { replays: 2 }), { explain: true });
    expect(record).toMatchObject({ verdict: 'reproduced' });
    expect(record.desync).toBeUndefined();
  });

  it.each([
    [['--determinism', 'off'], 'explain wants determinism full'],
    [['--seeds', '1..4'], 'explain wants replays of one seed'],
  ])('is not looked for with %j', async (more, message) => {
    const cwd = tempFolder();
    writeManifest(cwd, manifest('/bin/entropy'), 'm.json');
    const done = await reenact(['run', 'm.json', '--explain', ...more], { cwd });
    expect(done).toMatchObject({ status: 64, stdout: '' });
    expect(done.stderr).toContain(message);
  });
});
