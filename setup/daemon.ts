/** A background process of our own: started once, found again by its pid file, ended by that pid alone. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { sleep } from '../src/base/clock.ts';
import { SetupError, say } from './say.ts';

export interface Daemon {
  name: string;
  file: string;
  args: string[];
  pidFile: string;
  logFile: string;
  /** A word of its command line that no other process has: a pid can be used again by a stranger. */
  mark: string;
}

/** The pid of the running daemon, or undefined. */
function runningPid(pidFile: string, mark: string): number | undefined {
  if (!existsSync(pidFile)) return undefined;
  const pid = Number(readFileSync(pidFile, 'utf8').trim());
  if (!Number.isInteger(pid) || pid < 2) return undefined;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Starts the daemon unless it runs, and waits until it answers. */
export async function ensureDaemon(daemon: Daemon, answers: () => Promise<boolean>): Promise<void> {
  if (!runningPid(daemon.pidFile, daemon.mark)) {
    mkdirSync(dirname(daemon.pidFile), { recursive: true });
    const log = openSync(daemon.logFile, 'a');
    const child = spawn(daemon.file, daemon.args, { detached: true, stdio: ['ignore', log, log] });
    child.on('error', () => undefined);
    if (child.pid) writeFileSync(daemon.pidFile, String(child.pid));
    child.unref();
  }
  for (let tries = 0; tries < 300; tries++) {
    if (await answers()) return;
    await sleep(100);
  }
  const tail = existsSync(daemon.logFile)
    ? readFileSync(daemon.logFile, 'utf8').split('\n').slice(-8).join('\n')
    : '';
  throw new SetupError(`${daemon.name} did not start within 30 s; the end of ${daemon.logFile}:\n${tail}`);
}

/** Ends the daemon by its own pid and waits until it is gone. */
export async function stopDaemon(name: string, pidFile: string, mark: string): Promise<void> {
  const pid = runningPid(pidFile, mark);
  if (!pid) return;
  process.kill(pid, 'SIGTERM');
  for (let tries = 0; tries < 200 && existsSync(`/proc/${pid}`); tries++) await sleep(100);
  if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGKILL');
  rmSync(pidFile, { force: true });
  say(`stopped ${name} (pid ${pid})`);
}
