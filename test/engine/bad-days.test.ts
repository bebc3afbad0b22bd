import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';

import { sleep } from '../../src/base/clock.ts';
import { digestOf } from '../../src/base/digest.ts';
import { OWNER_LABEL, RUN_LABEL } from '../../src/sandbox/scope.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import { OwnEngine } from '../support/own-engine.ts';
import {
  describeEngine,
  engine,
  manifest,
  reenact,
  replay,
  SLOW,
  tempFolder,
  world,
  writeManifest,
} from '../support/world.ts';

// Real time must pass: the clock of a sandbox jumps over a sleep.
const ENDLESS = "sh -c 'while :; do :; done'";

/** Containers and volumes of runs whose owner is this process id. */
async function leftBy(pid: number): Promise<string[]> {
  const all = await (await engine()).owned(OWNER_LABEL);
  return all
    .filter((one) => one.labels[OWNER_LABEL]!.split('/')[2] === String(pid))
    .map((one) => one.labels[RUN_LABEL]!);
}

function events(path: string): { type: string; resumed?: boolean }[] {
  return existsSync(path)
    ? readFileSync(path, 'utf8')
        .trim()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    : [];
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 600 && !condition(); tries++) await sleep(50);
  expect(condition()).toBe(true);
}

describeEngine('bad days', () => {
  it('an input that is not the one named is rejected before anything is created', async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'in'), 'other');
    const content = manifest('true', {
      inputs: [{ path: 'in', source: 'in', sha256: digestOf('expected') }],
    });
    expect(await replay(content, { folder })).toMatchObject({
      verdict: 'rejected',
      reason: 'input_mismatch',
      replays: [],
      image: null,
    });
    const run = await reenact(['run', join(folder, 'm.json'), '--out', join(folder, 'o')]);
    expect(run.status).toBe(2);
    expect(run.stdout).toContain(join(folder, 'in'));
  });

  it('an input that is a link out of the folder is rejected', async () => {
    const folder = tempFolder();
    symlinkSync('/etc/passwd', join(folder, 'in'));
    const sha256 = digestOf(readFileSync('/etc/passwd'));
    expect(
      await replay(manifest('true', { inputs: [{ path: 'in', source: 'in', sha256 }] }), { folder }),
    ).toMatchObject({ verdict: 'rejected' });
  });

  it('inputs are seen in /case, whatever their depth', async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'sub', 'x'), 'content');
    const inputs = [{ path: 'deep/er/x', source: 'sub/x', sha256: digestOf('content') }];
    const record = await replay(
      manifest("sh -c 'read line < /case/deep/er/x; test x$line = xcontent'", { inputs }),
      { folder },
    );
    expect(record.replays[0]).toMatchObject({ ended: 'exit', exit_code: 0 });
  });

  it('an engine that is not running is named', async () => {
    const path = writeManifest(tempFolder(), manifest('true'));
    const run = await reenact(['run', path], { env: { DOCKER_HOST: 'unix:///nowhere/docker.sock' } });
    expect(run).toMatchObject({ status: 3, stdout: '' });
    expect(run.stderr).toContain('no container engine answers at unix:///nowhere/docker.sock');
  });

  it('a runner killed in mid-run loses nothing that was finished and leaves nothing after the next start', async () => {
    const folder = tempFolder();
    const path = writeManifest(folder, manifest(SLOW, { replays: 6 }));
    const log = join(folder, 'events.jsonl');
    const args = ['run', path, '--out', join(folder, 'out'), '--jobs', '2', '--progress', 'none', '--events'];
    let pid = 0;
    await reenact([...args, log], {
      during: (child) => {
        pid = child.pid!;
        void until(() => events(log).filter((e) => e.type === 'replay').length >= 2).then(() =>
          child.kill('SIGKILL'),
        );
      },
    });
    expect((await leftBy(pid)).length).toBeGreaterThan(0);
    const again = join(folder, 'again.jsonl');
    const run = await reenact([...args, again]);
    expect(run.status, run.stderr + run.stdout).toBe(0);
    expect(events(again).filter((e) => e.resumed).length).toBeGreaterThanOrEqual(2);
    expect(events(again).filter((e) => e.type === 'replay')).toHaveLength(6);
    expect(await leftBy(pid)).toEqual([]);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('%s ends a run with 130 and leaves nothing', async (signal) => {
    const folder = tempFolder();
    const path = writeManifest(folder, manifest(ENDLESS, { replays: 4 }));
    let pid = 0;
    const log = join(folder, 'events.jsonl');
    const run = await reenact(['run', path, '--out', join(folder, 'out'), '--events', log], {
      during: (child) => {
        pid = child.pid!;
        void until(() => events(log).some((e) => e.type === 'prepared')).then(() =>
          setTimeout(() => child.kill(signal), 700),
        );
      },
    });
    expect(run.status).toBe(130);
    expect(await leftBy(pid)).toEqual([]);
  });

  it('two runners at once in one folder both finish', async () => {
    const folder = tempFolder();
    const path = writeManifest(folder, manifest(SLOW, { replays: 2 }));
    const args = ['run', path, '--out', join(folder, 'out'), '--json', '--progress', 'none'];
    const runs = await Promise.all([reenact(args), reenact(args)]);
    expect(runs.map((run) => run.status)).toEqual([0, 0]);
    for (const run of runs) expect((JSON.parse(run.stdout) as [ReplayRecord])[0].replays).toHaveLength(2);
    const folders = readdirSync(join(folder, 'out', 'runs'));
    expect(folders.every((name) => existsSync(join(folder, 'out', 'runs', name, 'record.json')))).toBe(true);
    expect(folders.some((name) => existsSync(join(folder, 'out', 'runs', name, 'lock')))).toBe(false);
  });

  it('a full disk on our side is inconclusive, not a divergence', async () => {
    const folder = tempFolder();
    const out = join(folder, 'out');
    mkdirSync(out);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=66m', 'none', out]);
    try {
      const run = "sh -c 'dd if=/dev/urandom of=f bs=1M count=5 2>/dev/null'";
      const record = await replay(manifest(run, { replays: 3 }), { folder, jobs: 1 });
      expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'disk_full' });
    } finally {
      execFileSync('umount', [out]);
    }
  });
});

describeEngine('an engine of our own', () => {
  const own = new OwnEngine(tempFolder());
  afterAll(() => own.stop());

  it('killed in mid-run makes the run inconclusive; with it back, the run resumes', async () => {
    await own.start();
    const folder = tempFolder();
    const path = writeManifest(
      folder,
      manifest(SLOW, { replays: 6, sandbox_image: world.fixture.repository }),
    );
    const log = join(folder, 'events.jsonl');
    const env = { DOCKER_HOST: own.address };
    const args = [
      'run',
      path,
      '--out',
      join(folder, 'out'),
      '--jobs',
      '2',
      '--progress',
      'none',
      '--json',
      '--events',
      log,
    ];
    const cut = await reenact(args, {
      env,
      during: () =>
        void until(() => events(log).filter((e) => e.type === 'replay').length >= 2).then(() =>
          own.kill('SIGKILL'),
        ),
    });
    expect(cut.status).toBe(3);
    const [record] = JSON.parse(cut.stdout) as [ReplayRecord];
    expect(record).toMatchObject({ verdict: 'inconclusive', divergence: null });
    expect(['engine_failed', 'engine_unreachable']).toContain(record.reason);
    expect(record.replays.filter((r) => r.outcome === 'diverged')).toEqual([]);
    const docker = await own.start();
    const again = await reenact(args, { env });
    expect(again.status).toBe(0);
    expect(events(log).filter((e) => e.type === 'swept')).toHaveLength(1);
    expect(await docker.owned(OWNER_LABEL)).toEqual([]);
  });
});
