/** An engine and a loopback registry: those that are there, else private ones under the user's cache folder. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { cacheFolder } from '../src/base/cache-folder.ts';
import { sleep } from '../src/base/clock.ts';
import { connectDocker } from '../src/sandbox/docker.ts';
import { findEndpoint, privateSocket } from '../src/sandbox/endpoint.ts';
import { ensureDaemon, stopDaemon } from './daemon.ts';
import { ensureTools, findProgram, TOOLS } from './packages.ts';
import { SetupError, say } from './say.ts';

const home = cacheFolder(process.env);
const engineFolder = join(home, 'engine');
const registryFolder = join(home, 'registry');
const engineData = join(engineFolder, 'data');
const registryConfig = join(registryFolder, 'config.yml');

async function reachable(): Promise<string | undefined> {
  const found = findEndpoint(process.env);
  if (!found) return undefined;
  try {
    await connectDocker(found.endpoint, found.address);
    return found.address;
  } catch (error) {
    if (process.env.DOCKER_HOST) throw new SetupError((error as Error).message);
    return undefined;
  }
}

/** The address of a reachable engine, for DOCKER_HOST; installs and starts a private one where there is none. */
export async function ensureEngine(): Promise<string> {
  const there = await reachable();
  if (there) return there;
  await ensureTools([TOOLS.engine]);
  // Where an init system runs, the package starts the system's own engine, which then serves as well.
  for (let tries = 0; existsSync('/run/systemd/system') && tries < 20; tries++) {
    const started = await reachable();
    if (started) return started;
    await sleep(500);
  }
  if (process.getuid?.() !== 0)
    throw new SetupError(
      'no container engine can be reached and you are not root: start one, or set DOCKER_HOST to one you may use',
    );
  mkdirSync(engineFolder, { recursive: true });
  const socket = privateSocket(process.env);
  const address = `unix://${socket}`;
  const pidFile = join(engineFolder, 'docker.pid');
  say(`starting a private container engine (socket ${socket}); npm run setup:stop ends it`);
  const args = [
    '--host',
    address,
    '--data-root',
    engineData,
    '--exec-root',
    join(engineFolder, 'exec'),
    '--pidfile',
    join(engineFolder, 'dockerd.pid'),
  ];
  args.push('--bridge=none', '--iptables=false', '--ip6tables=false', '--log-level=warn');
  await ensureDaemon(
    {
      name: 'the private engine',
      file: findProgram('dockerd')!,
      args,
      pidFile,
      logFile: join(engineFolder, 'log'),
      mark: engineData,
    },
    async () => {
      try {
        return Boolean(await connectDocker({ socketPath: socket }, address));
      } catch {
        return false;
      }
    },
  );
  return address;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** "127.0.0.1:port" of the private registry, started when it does not run. */
export async function ensureRegistry(): Promise<string> {
  await ensureTools([TOOLS.registry]);
  mkdirSync(registryFolder, { recursive: true });
  const portFile = join(registryFolder, 'port');
  if (!existsSync(portFile)) writeFileSync(portFile, String(await freePort()));
  const host = `127.0.0.1:${readFileSync(portFile, 'utf8').trim()}`;
  writeFileSync(
    registryConfig,
    `version: 0.1\nlog: {level: warn}\nstorage:\n  filesystem: {rootdirectory: ${JSON.stringify(join(registryFolder, 'data'))}}\n  delete: {enabled: true}\nhttp: {addr: ${JSON.stringify(host)}}\n`,
  );
  const answers = async (): Promise<boolean> => {
    try {
      return (await fetch(`http://${host}/v2/`)).ok;
    } catch {
      return false;
    }
  };
  if (!(await answers())) say(`starting a registry on ${host}, reachable from this machine only`);
  const pidFile = join(registryFolder, 'pid');
  await ensureDaemon(
    {
      name: 'the registry',
      file: findProgram('docker-registry')!,
      args: ['serve', registryConfig],
      pidFile,
      logFile: join(registryFolder, 'log'),
      mark: registryConfig,
    },
    answers,
  );
  return host;
}

/** Ends the registry that ensureRegistry started, by its own pid. */
export function stopRegistry(): Promise<void> {
  return stopDaemon('the registry', join(registryFolder, 'pid'), registryConfig);
}

/** Ends what ensureEngine and ensureRegistry started, by their own pids. */
export async function stopAll(): Promise<void> {
  await stopRegistry();
  await stopDaemon('the private engine', join(engineFolder, 'docker.pid'), engineData);
}
