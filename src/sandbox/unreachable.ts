/** An engine that cannot be reached: a socket that this user may not use is told from an engine that is not there. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';

import { asFault, Fault } from '../base/fault.ts';
import { errnoOf } from '../base/thrown.ts';
import type { Endpoint } from './endpoint.ts';

/** A user's own engine needs no group and no root. */
const OWN_ENGINE =
  'run an engine of your own, without root, and name its socket: DOCKER_HOST=unix://$XDG_RUNTIME_DIR/docker.sock (dockerd-rootless-setuptool.sh install) or podman/podman.sock there (systemctl --user start podman.socket)';

interface Group {
  name: string;
  members: string[];
}

/** group(5): the group with this number, by its name where the machine has one. */
function groupOf(gid: number): Group {
  const lines = readFileSync('/etc/group', 'utf8').split('\n');
  const [name, , , members = ''] =
    lines.map((line) => line.split(':')).find(([, , id]) => id === String(gid)) ?? [];
  return { name: name ?? String(gid), members: members.split(',').filter(Boolean) };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a number that has no name.
    return String(process.getuid?.());
  }
}

/** The outermost folder of the path that this user may not enter. */
function closedFolder(path: string): string | undefined {
  const folder = dirname(path);
  const outer = folder === path ? undefined : closedFolder(folder);
  if (outer !== undefined) return outer;
  try {
    accessSync(folder, constants.X_OK);
    return undefined;
  } catch {
    return folder;
  }
}

/** What lets this user use the socket at `path`, as its permissions are. */
function permissionAdvice(path: string): string {
  const closed = closedFolder(path);
  if (closed !== undefined) return `the folder ${closed} cannot be entered by ${userName()}: ${OWN_ENGINE}`;
  const { gid, mode } = statSync(path);
  // Users are never added to root's own group, and a group that may not write is of no use.
  if (gid === 0 || (mode & 0o020) === 0) return OWN_ENGINE;
  const { name, members } = groupOf(gid);
  if (members.includes(userName()))
    return `log in anew, or begin a shell with newgrp ${name}: ${userName()} is in the group ${name}, and this session began before that`;
  return `have ${userName()} put into the socket's group, whose members are as good as root here (sudo usermod -aG ${name} ${userName()}), and log in anew; or ${OWN_ENGINE}`;
}

/** The Fault for an engine at `address` that did not answer; `error` is why. */
export function unreachable(address: string, endpoint: Endpoint, error: unknown): Fault {
  const code = errnoOf(error);
  if ((code !== 'EACCES' && code !== 'EPERM') || !('socketPath' in endpoint))
    return asFault('engine_unreachable', `no container engine answers at ${address}`, error);
  return new Fault(
    'engine_unreachable',
    `${userName()} may not use the engine's socket ${endpoint.socketPath}: permission denied`,
    error,
    permissionAdvice(endpoint.socketPath),
  );
}
