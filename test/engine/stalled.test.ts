/** Engines that die, hang or answer too late: the run ends in bounded time, with its records, and says why. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';

import { sleep } from '../../src/base/clock.ts';
import { EngineProxy } from '../support/proxy.ts';
import { describeEngine, manifest, reenact, SLOW, tempFolder, writeManifest } from '../support/world.ts';

/** What the runner promises from the last answer on. */
const BOUND_MS = 60_000;
const proxies: EngineProxy[] = [];
afterAll(() => {
  for (const proxy of proxies.splice(0)) proxy.die();
});

/** Runs a slow manifest behind a proxy; `event` when the first replay of two is done. */
async function runBehind(
  replays: number,
  event: (proxy: EngineProxy, kill: (signal: NodeJS.Signals) => void) => void,
) {
  const folder = tempFolder();
  const proxy = new EngineProxy();
  proxies.push(proxy);
  await proxy.listen();
  const path = writeManifest(folder, manifest(SLOW, { replays }));
  const events = join(folder, 'events');
  let at = Number.POSITIVE_INFINITY;
  let over = false;
  const run = await reenact(
    [
      'run',
      path,
      '--out',
      join(folder, 'out'),
      '--jobs',
      '1',
      '--json',
      '--junit',
      join(folder, 'j.xml'),
      '--events',
      events,
    ],
    {
      env: { DOCKER_HOST: proxy.address },
      during: (child) => {
        child.on('close', () => {
          over = true;
        });
        const watch = async (): Promise<void> => {
          const done = (): boolean => {
            try {
              return readFileSync(events, 'utf8').includes('"type":"replay"');
            } catch {
              return false;
            }
          };
          while (!over && !done()) await sleep(50);
          at = performance.now();
          event(proxy, (signal) => child.kill(signal));
        };
        void watch();
      },
    },
  );
  return { ...run, tookMs: performance.now() - at, junit: () => readFileSync(join(folder, 'j.xml'), 'utf8') };
}

describeEngine('an engine', () => {
  it.concurrent('that dies in mid-run: the record says so, exit 3', async () => {
    const run = await runBehind(4, (proxy) => proxy.die());
    expect(run.tookMs).toBeLessThan(BOUND_MS);
    expect(run.status, run.stderr).toBe(3);
    expect(JSON.parse(run.stdout)).toMatchObject([{ verdict: 'inconclusive' }]);
    expect(run.stdout).toContain('engine_unreachable');
    expect(run.junit()).toContain('engine_unreachable');
  });

  it.concurrent('that falls silent in mid-run: a word after 5 s, the record within 60 s, exit 3', async () => {
    const run = await runBehind(4, (proxy) => proxy.fallSilent());
    expect(run.tookMs).toBeLessThan(BOUND_MS);
    expect(run.status, run.stderr).toBe(3);
    expect(run.stderr).toContain('still waiting for the engine at unix://');
    expect(JSON.parse(run.stdout)).toMatchObject([{ verdict: 'inconclusive' }]);
    expect(run.stdout).toContain('engine_unreachable');
  });

  it.concurrent('that was silent before the start: run and doctor say so and end', async () => {
    const proxy = new EngineProxy();
    proxies.push(proxy);
    await proxy.listen();
    proxy.fallSilent();
    const path = writeManifest(tempFolder(), manifest('true'));
    const env = { DOCKER_HOST: proxy.address };
    const [run, doctor] = await Promise.all([reenact(['run', path], { env }), reenact(['doctor'], { env })]);
    expect(run).toMatchObject({ status: 3, stdout: '' });
    for (const { stderr } of [run, doctor]) expect(stderr).toContain('still waiting for the engine at');
    expect(run.stderr).toContain('no container engine answers at');
    expect(doctor.stdout).toContain('no container engine answers at');
  });

  it.concurrent('that takes up the wait for a container after it ended: the replay is whole', async () => {
    const proxy = new EngineProxy();
    proxies.push(proxy);
    await proxy.listen();
    proxy.holdBack = { line: /\/wait\?/, ms: 4_000 };
    const path = writeManifest(tempFolder(), manifest('sh -c true', { replays: 2 }));
    const late = await reenact(['run', path, '--json'], { env: { DOCKER_HOST: proxy.address } });
    expect(late.status, late.stderr).toBe(0);
    expect(JSON.parse(late.stdout)).toMatchObject([{ verdict: 'reproduced' }]);
  });

  it.concurrent.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)(
    'that is silent when %s comes: the run ends in 5 s, with reports of what it has',
    async (signal) => {
      const run = await runBehind(4, (proxy, kill) => {
        proxy.fallSilent();
        setTimeout(() => kill(signal), 500);
      });
      expect(run.status, run.stderr).toBe(130);
      expect(run.tookMs).toBeLessThan(5_000 + 500 + 5_000);
      expect(JSON.parse(run.stdout)).toMatchObject([{ verdict: 'inconclusive' }, { code: 'interrupted' }]);
      expect(run.junit()).toContain('<error');
    },
  );
});
