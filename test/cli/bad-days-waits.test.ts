/** The command, with its real limits, where what it waits for is silent: a word after 5 s, an end within 60 s, and signals end it in 5 s. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { digestOf } from '../../src/base/digest.ts';
import { silent, slowServer } from '../support/slow.ts';
import { SNAPSHOT } from '../support/stores.ts';
import { reenact, tempFolder } from '../support/world.ts';

const BOUND_MS = 60_000;
/** What starting takes on a busy machine, beside the wait. */
const START_MS = 5_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** A store whose database a process has open that does not go on. */
const store = tempFolder();
const holder = spawn(
  process.execPath,
  [
    '--input-type=module',
    '-e',
    `const { openDatabase } = await import(${JSON.stringify(join(process.cwd(), 'src/store/sql/open.ts'))});
     await openDatabase(${JSON.stringify(store)}, undefined, ${JSON.stringify(SNAPSHOT)});
     console.log('open');
     setTimeout(() => {}, 600_000);`,
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
afterAll(() => holder.kill('SIGKILL'));

const TRACE = digestOf('no trace');
let host: string;
beforeAll(async () => {
  host = await slowServer(silent);
  await once(holder.stdout, 'data');
  holder.kill('SIGSTOP');
}, 60_000);

interface Wait {
  args: string[];
  env?: NodeJS.ProcessEnv;
  cwd: string;
}

const WAITS: Record<string, () => Wait> = {
  'a registry': () => ({
    args: ['bundle', 'pull', `${host}/a/b@${digestOf('x')}`, '--out', 'b.tar'],
    cwd: tempFolder(),
  }),
  'a debuginfod server': () => ({
    args: ['symbols', 'fetch', 'ab'.repeat(20), '--debuginfod', `http://${host}`, '--out', '.'],
    cwd: tempFolder(),
  }),
  'a log': () => ({
    args: ['evidence', 'fetch', '7', '--log', `http://${host}`, '--policy', 'default', '--store', '.'],
    cwd: tempFolder(),
  }),
  'a database': () => ({
    args: ['trace', 'audit', TRACE],
    env: { REENACT_DATABASE_URL: `postgresql://ada@${host}/cases` },
    cwd: tempFolder(),
  }),
  'the lock of a store': () => ({ args: ['trace', 'audit', TRACE, '--store', store], cwd: tempFolder() }),
};

it.concurrent.each(Object.keys(WAITS))('%s: a word, and an end', { timeout: 120_000 }, async (name) => {
  const { args, ...o } = WAITS[name]!();
  const began = performance.now();
  const { status, stderr } = await reenact(args, o);
  expect(performance.now() - began).toBeLessThan(BOUND_MS + START_MS);
  expect(stderr).toContain('still waiting for the ');
  expect(stderr).toContain(name === 'the lock of a store' ? `process ${holder.pid}` : host);
  expect(stderr).toContain('  next: ');
  expect(status, stderr).toBe(3);
  expect(readdirSync(o.cwd)).toEqual([]);
});

it.concurrent.each(SIGNALS.flatMap((signal) => Object.keys(WAITS).map((name) => [signal, name] as const)))(
  '%s, while it waits for %s, ends it',
  { timeout: 120_000 },
  async (signal, name) => {
    const { args, ...o } = WAITS[name]!();
    let at = Number.POSITIVE_INFINITY;
    const { status, stderr } = await reenact(args, {
      ...o,
      during: (child) => {
        const stop = (): void => {
          at = performance.now();
          child.kill(signal);
        };
        // It waits, once it says so.
        child.stderr!.once('data', stop);
      },
    });
    expect(stderr).toContain('still waiting for the ');
    expect(performance.now() - at, stderr).toBeLessThan(5_000);
    // A process that a signal ended has no status.
    expect([130, null]).toContain(status);
    expect(readdirSync(o.cwd)).toEqual([]);
  },
);
