/** Which process something belongs to, so that leftovers of a dead process are told apart from the property of a living one. */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** What identifies exactly one process: machine, boot, pid namespace, pid, start time. */
export interface Owner {
  machine: string;
  boot: string;
  pid: number;
  startTicks: string;
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return otherwise;
  }
}

function startTicks(pid: number): string {
  const stat = readOr(`/proc/${pid}/stat`, '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

/** This process. The machine's id is hashed: labels are seen by others. */
export function thisOwner(): Owner {
  let namespace = '';
  try {
    namespace = readlinkSync('/proc/self/ns/pid');
  } catch {
    // Not Linux: pids are the machine's.
  }
  const machine = createHash('sha256')
    .update(`${readOr('/etc/machine-id', hostname())}${namespace}`)
    .digest('hex')
    .slice(0, 16);
  return {
    machine,
    boot: readOr('/proc/sys/kernel/random/boot_id', ''),
    pid: process.pid,
    startTicks: startTicks(process.pid),
  };
}

export function formatOwner(owner: Owner): string {
  return [owner.machine, owner.boot, owner.pid, owner.startTicks].join('/');
}

/** True only when the owner has certainly ended; never for owners on another machine. */
export function isDead(label: string | undefined, here: Owner): boolean {
  const [machine, boot, pid, ticks] = (label ?? '').split('/');
  if (machine !== here.machine || !pid) return false;
  if (boot !== here.boot) return true;
  return startTicks(Number(pid)) !== ticks;
}
