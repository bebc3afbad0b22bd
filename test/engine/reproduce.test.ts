/** Reproducing a stored trace on the real engine: the same crash, another one, none, and what cannot be replayed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';

import type { Trace } from '../../src/trace/model/trace.ts';
import { anyPlace, type StorePlace } from '../support/stores.ts';
import { describeEngine, manifest, reenact, tempFolder, writeManifest } from '../support/world.ts';

interface Answer {
  status: number | null;
  verdict: string;
  at: number | null;
  reason: string;
  manifest: string | null;
  gates: string[];
}

describeEngine('reproduce', () => {
  let cwd: string;
  let store: StorePlace;
  let trace: string;
  const call = (...args: string[]): ReturnType<typeof reenact> =>
    reenact([...args, '--store', store.folder], { cwd, env: { REENACT_DATABASE_URL: store.url ?? '' } });

  async function reproduce(id: string, ...args: string[]): Promise<Answer> {
    const { status, stdout, stderr } = await call('reproduce', id, '--replays', '2', '--json', ...args);
    expect(stderr).not.toContain('bug');
    const [{ reproduction, manifest: source, gates }] = JSON.parse(stdout);
    const { verdict, at, reason } = reproduction;
    return {
      status,
      verdict,
      at,
      reason,
      manifest: source,
      gates: gates.map(({ name }: { name: string }) => name),
    };
  }

  async function add(name: string, change: (trace: Trace) => void): Promise<string> {
    const [shown] = JSON.parse(
      (await reenact(['trace', 'show', 'record.json', '--json'], { cwd })).stdout,
    ) as [Trace];
    change(shown);
    const { format: _, ...rest } = shown;
    writeFileSync(join(cwd, name), JSON.stringify({ reenact_trace: 1, ...rest }));
    return JSON.parse((await call('trace', 'add', name, '--json')).stdout)[0].trace_id as string;
  }

  beforeAll(async () => {
    [cwd, store] = [tempFolder(), await anyPlace()];
    writeManifest(cwd, manifest('/bin/crashes', { replays: 1 }), 'crash.json');
    writeManifest(cwd, manifest('/bin/crashes handled', { replays: 1 }), 'fine.json');
    writeManifest(cwd, manifest('/bin/crashes raise', { replays: 1 }), 'other.json');
    const run = await reenact(['run', 'crash.json', '--jsonl', '--progress', 'none', '--out', store.folder], {
      cwd,
    });
    writeFileSync(join(cwd, 'record.json'), run.stdout);
    trace = JSON.parse((await call('trace', 'add', 'record.json', '--json')).stdout)[0].trace_id as string;
  });

  it('the manifest of a record that was made here is stored with its trace, and the crash matches', async () => {
    expect(await reproduce(trace)).toEqual({
      ...{ status: 1, verdict: 'match', at: null, manifest: 'stored' },
      reason: 'every frame is the same place in the same build',
      // It is the same crash; that nothing joins it to a signed build fails all the same.
      gates: ['replay_ratio', 'image_check', 'reproduction', 'join_completeness', 'chain_of_custody'],
    });
    const people = await call('reproduce', trace, '--replays', '1');
    expect(people.stdout).toMatch(/^match {2}every frame[\s\S]*\n {2}= {2}0 crashes\+0x\w+ +crashes\+0x/);
    expect(people.stdout).toContain('pass  reproduction: whole (asked: whole, or 8 frames)');
    expect(people.stdout.split('\n').filter((line) => line.length > 80 && !line.includes('sha256:'))).toEqual(
      [],
    );
  });

  it('names the first frame that is another, whatever lies before it', async () => {
    const changed = await add('changed.json', ({ threads }) => {
      threads[0]!.frames[3]!.rel_addr = '0x1';
    });
    expect(await reproduce(changed, '--manifest', 'crash.json')).toMatchObject({
      ...{ status: 1, verdict: 'diverged', at: 3, manifest: 'named' },
    });
    expect(await reproduce(trace, '--manifest', 'other.json')).toMatchObject({ verdict: 'diverged', at: 0 });
  });

  it('a trace that was cut matches as far as it is known, which no gate takes for a match', async () => {
    for (const frames of [1, 5]) {
      const short = await add(`short${frames}.json`, ({ threads }) => {
        threads[0]!.frames.splice(frames);
        delete threads[0]!.ended;
      });
      const found = await call('reproduce', short, '--manifest', 'crash.json', '--replays', '1', '--json');
      const [{ reproduction, gates }] = JSON.parse(found.stdout);
      expect(reproduction).toMatchObject({ verdict: 'match_as_far_as_known', known: frames });
      expect(gates.find(({ name }: { name: string }) => name === 'reproduction')).toMatchObject({
        pass: false,
      });
    }
  });

  it('two whole stacks of different lengths are two crashes', async () => {
    const short = await add('whole.json', ({ threads }) => void threads[0]!.frames.splice(5));
    expect(await reproduce(short, '--manifest', 'crash.json')).toMatchObject({ verdict: 'diverged', at: 5 });
    let length = 0;
    const long = await add('long.json', ({ threads }) => {
      length = threads[0]!.frames.push({ ...threads[0]!.frames[1]! });
    });
    expect(await reproduce(long, '--manifest', 'crash.json')).toMatchObject({
      ...{ verdict: 'diverged', at: length - 1 },
    });
  });

  it('a trace in which no thread crashed is not reproduced', async () => {
    const idle = await add('idle.json', ({ threads }) => void Object.assign(threads[0]!, { crashed: false }));
    expect(await reproduce(idle, '--manifest', 'crash.json')).toMatchObject({
      ...{ status: 3, verdict: 'unreplayable', reason: 'no thread of this trace crashed' },
    });
  });

  it('says that there is no crash, and why a trace cannot be replayed; neither is success', async () => {
    expect(await reproduce(trace, '--manifest', 'fine.json')).toMatchObject({
      ...{ status: 1, verdict: 'no_crash', reason: 'replay 1 ended with exit 3' },
    });
    const foreign = await add('foreign.json', ({ threads }) => {
      threads[0]!.frames[0]!.rel_addr = '0x2';
    });
    expect(await reproduce(foreign)).toMatchObject({ status: 3, verdict: 'unreplayable', manifest: null });
    writeManifest(cwd, manifest('/bin/nothing', { replays: 1 }), 'absent.json');
    expect(await reproduce(trace, '--manifest', 'absent.json')).toMatchObject({
      ...{ status: 3, verdict: 'unreplayable', reason: expect.stringContaining('exec_failed') },
    });
  });
});
