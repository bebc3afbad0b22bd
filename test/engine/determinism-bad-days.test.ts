/** What full determinism must live through: an honest ending each time, the same each time, nothing hung or left over. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';

import type { ReplayRecord } from '../../src/verdict/record.ts';
import { describeEngine, manifest, replay } from '../support/world.ts';

async function days(what: string, more: object = {}): Promise<ReplayRecord> {
  return await replay(manifest(`/bin/days ${what}`, { replays: 3, limits: { timeout: 20, ...more } }));
}

/** The machine's processes whose command line has this in it. */
function processes(mark: string): { pid: number; words: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      try {
        return { pid: Number(name), words: readFileSync(`/proc/${name}/cmdline`, 'utf8') };
      } catch {
        return { pid: 0, words: '' }; // It has ended meanwhile.
      }
    })
    .filter(({ words }) => words.includes(mark));
}

describeEngine('a bad day', () => {
  it.each([
    ['a thread bomb', 'threads', { exit_code: 7 }],
    ['64 nested forks', 'nested', { exit_code: 3 }],
    ['clones with flags that no library uses', 'clones', { exit_code: 0 }],
    ['a program that closes all descriptors', 'close', { exit_code: 5 }],
    ['a program that blocks all signals and sends them to itself', 'block', { exit_code: 6 }],
    ['a program that may not be looked into, and its children', 'undumpable', { exit_code: 2 }],
    ['a program that writes over its own memory', 'memory', { exit_code: 0 }],
    ['a program that looks for a tracer and traps', 'tracer', { ended: 'signal', signal: 'SIGTRAP' }],
    ['a program that leaves 40 orphans', 'zombies', { exit_code: 0 }],
    ['a program that works for long and ignores SIGTRAP', 'traps', { exit_code: 9 }],
    ['a program that works for long and blocks SIGTRAP', 'traps blocked', { exit_code: 9 }],
    ['a program that counts in registers of floats', 'floats', { exit_code: 10 }],
    ['a timer that comes during an exec', 'alarm', { ended: 'signal', signal: 'SIGALRM' }],
    ['side doors to the kernel’s files', 'doors', { exit_code: 11 }],
  ])('%s ends the same each time', async (_name, what, ending) => {
    const record = await days(what, { pids: 200 });
    expect(record).toMatchObject({ verdict: 'reproduced' });
    for (const one of record.replays) expect(one).toMatchObject(ending);
  });

  it.each(['foreign', 'foreign child'])('%s: a 32-bit program is refused by name', async (what) => {
    const record = await days(what);
    expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'unsupported' });
    expect(record.message).toContain('another instruction set');
  });

  it('a call that nobody classified is refused by name, whatever the engine’s filter says of it', async () => {
    const record = await days('newer');
    expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'unsupported' });
    expect(record.message).toContain('call 500');
    expect(record.replays[0]).toMatchObject({ ended: 'unsupported' });
  });

  it('a timer beyond all time is ended by the real clock, not only by the runner', async () => {
    const record = await days('timer', { timeout: 2 });
    expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'limit_timeout' });
    expect(record.replays[0]!.duration_ms).toBeLessThan(4000);
  });

  it('who waits for ever with all signals blocked is ended by the real clock', async () => {
    const record = await days('block stay', { timeout: 2 });
    expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'limit_timeout' });
  });

  it('PID 1 killed from outside is no result, and takes its guests with it', async () => {
    const mark = `stay-${process.pid}`;
    const running = replay(manifest(`/bin/days block ${mark}`, { limits: { timeout: 60 } }));
    const guest = `/bin/days\0block\0${mark}\0`;
    for (let tries = 0; tries < 600 && !processes(mark).some((one) => one.words === guest); tries++)
      await sleep(50);
    const supervisor = processes(mark).find(({ words }) => words.startsWith('/harness/init\0'));
    process.kill(supervisor!.pid, 'SIGKILL');
    expect(await running).toMatchObject({ verdict: 'inconclusive', reason: 'supervisor_lost' });
    expect(processes(mark)).toEqual([]);
  });
});
