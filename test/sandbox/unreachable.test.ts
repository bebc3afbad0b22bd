/** What a user without rights on the engine's socket is told: tried as another user, on sockets of the test's own. */
import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { FAULTS } from '../../src/base/fault.ts';
import { unreachable } from '../../src/sandbox/unreachable.ts';
import { tempFolder } from '../support/world.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Debian's users that always are there: who asks, and a group that is not theirs. */
const NOBODY = 65534;
const [, DIALOUT] = /^dialout:[^:]*:(\d+):/m.exec(readFileSync('/etc/group', 'utf8')) ?? [];

const isRoot = process.getuid?.() === 0;
const servers: Server[] = [];
let folder: string;

beforeAll(async () => {
  folder = tempFolder();
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'closed'), { mode: 0o700 });
  mkdirSync(join(folder, 'run/podman'), { recursive: true, mode: 0o755 });
  for (const name of [
    'docker.sock',
    'plain.sock',
    'closed/docker.sock',
    'run/docker.sock',
    'run/podman/podman.sock',
  ])
    await new Promise<void>((resolve) => {
      const server = createServer((socket) => socket.end());
      servers.push(server.listen(join(folder, name), resolve));
    });
  for (const name of ['plain.sock', 'run/docker.sock']) chmodSync(join(folder, name), 0o600);
  chmodSync(join(folder, 'run/podman/podman.sock'), 0o666);
  chmodSync(join(folder, 'docker.sock'), 0o660);
  if (isRoot && DIALOUT) chownSync(join(folder, 'docker.sock'), 0, Number(DIALOUT));
});

afterAll(() => {
  for (const server of servers) server.close();
});

interface Told {
  code: string;
  message: string;
  next: string;
}

/** Asks for an engine in a process that has given root up, once all that it needs is loaded. */
async function asNobody(env: Record<string, string>): Promise<Told> {
  const script = `
    import { connectEngine } from '${ROOT}/src/library/engine.ts';
    import '${ROOT}/src/sandbox/docker.ts';
    process.setgroups([]);
    process.setgid(${NOBODY});
    process.setuid(${NOBODY});
    await connectEngine().catch(({ code, message, next }) => console.log(JSON.stringify({ code, message, next })));`;
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', script],
    {
      env: { PATH: process.env.PATH!, HOME: folder, ...env },
      timeout: 20_000,
    },
  );
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

describe.skipIf(!isRoot)('a socket that this user may not use (needs root, to be another user)', () => {
  it.skipIf(!DIALOUT)('of a group: its name, what being in it means, and the way without it', async () => {
    const { code, message, next } = await asNobody({ DOCKER_HOST: `unix://${folder}/docker.sock` });
    expect(code).toBe('engine_unreachable');
    expect(message).toBe(`nobody may not use the engine's socket ${folder}/docker.sock: permission denied`);
    expect(next).toContain('sudo usermod -aG dialout nobody');
    expect(next).toContain('as good as root');
    expect(next).toContain('DOCKER_HOST=unix://$XDG_RUNTIME_DIR/docker.sock');
  });

  it('of root alone: no group helps, an engine of the user’s own does', async () => {
    const { next } = await asNobody({ DOCKER_HOST: `unix://${folder}/plain.sock` });
    expect(next).not.toContain('usermod');
    expect(next).toContain('an engine of your own, without root');
  });

  it('in a folder that cannot be entered: which one', async () => {
    const { message, next } = await asNobody({ DOCKER_HOST: `unix://${folder}/closed/docker.sock` });
    expect(message).toContain('permission denied');
    expect(next).toContain(`the folder ${folder}/closed cannot be entered by nobody`);
  });

  it('is passed over where another may be used', async () => {
    const { message } = await asNobody({ XDG_RUNTIME_DIR: join(folder, 'run') });
    expect(message).toContain(`no container engine answers at unix://${folder}/run/podman/podman.sock`);
  });
});

it('an engine that is not there is no matter of permission', async () => {
  const address = `unix://${folder}/none.sock`;
  const error = Object.assign(new Error('connect ENOENT'), { code: 'ENOENT' });
  const fault = unreachable(address, { socketPath: `${folder}/none.sock` }, error);
  expect(fault.message).toContain(`no container engine answers at ${address}`);
  expect(fault.next).toBe(FAULTS.engine_unreachable.next);
});
