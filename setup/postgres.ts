/** A private PostgreSQL server for tests and measurements: its own cluster, reached only through a socket of its own. */
import { chownSync, existsSync, globSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../src/base/cache-folder.ts';
import { exec } from '../src/base/exec.ts';
import { Fault } from '../src/base/fault.ts';
import { openServer } from '../src/store/sql/postgres.ts';
import { ensureDaemon, stopDaemon } from './daemon.ts';
import { ensureTools, TOOLS } from './packages.ts';
import { SetupError, say } from './say.ts';

const asRoot = process.getuid?.() === 0;
/** PostgreSQL refuses to run as root: then Debian's own user does, whose home others cannot enter. */
const folder = asRoot ? '/var/lib/postgresql/reenact' : join(cacheFolder(process.env), 'postgres');
const data = join(folder, 'data');
const pidFile = join(folder, 'pid');
const as = asRoot ? ['--reuid=postgres', '--regid=postgres', '--clear-groups'] : [];

function programFolder(): string {
  const found = globSync('/usr/lib/postgresql/*/bin').sort().at(-1);
  if (!found)
    throw new SetupError('PostgreSQL is installed, and its programs are not in /usr/lib/postgresql');
  return found;
}

async function idOf(flag: string): Promise<number> {
  return Number(
    Buffer.from((await exec('id', [flag, 'postgres'], { timeoutMs: 5000, outputBytes: 100 })).stdout),
  );
}

async function createCluster(bin: string): Promise<void> {
  say('creating a private PostgreSQL cluster');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (asRoot) chownSync(folder, await idOf('-u'), await idOf('-g'));
  const args = [
    ...as,
    join(bin, 'initdb'),
    '--auth=trust',
    '--encoding=UTF8',
    '--locale=C',
    '--username=postgres',
  ];
  const { exitCode, stderr } = await exec('setpriv', [...args, '-D', data], {
    timeoutMs: 120_000,
    outputBytes: 1 << 20,
  });
  if (exitCode !== 0) throw new SetupError(`initdb failed:\n${stderr.slice(-2000)}`);
}

/** The address of the server's own database, for REENACT_TEST_POSTGRES; starts the server when it does not run. */
export async function ensurePostgres(): Promise<string> {
  await ensureTools([TOOLS.postgres]);
  const bin = programFolder();
  if (!existsSync(join(data, 'PG_VERSION'))) await createCluster(bin);
  const url = `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(folder)}`;
  const settings = ['listen_addresses=', `unix_socket_directories=${folder}`, 'max_connections=50'];
  await ensureDaemon(
    {
      name: 'the private PostgreSQL server',
      file: '/usr/bin/setpriv',
      args: [...as, join(bin, 'postgres'), '-D', data, ...settings.flatMap((setting) => ['-c', setting])],
      pidFile,
      logFile: join(folder, 'log'),
      mark: data,
    },
    async () => {
      try {
        await (await openServer(url)).close();
        return true;
      } catch (error) {
        if (error instanceof Fault) return false;
        throw error;
      }
    },
  );
  return url;
}

/** Ends the server that ensurePostgres started, by its own pid. */
export function stopPostgres(): Promise<void> {
  return stopDaemon('the private PostgreSQL server', pidFile, data);
}
