/** Everything one run creates on the engine, labelled with its owner, so that nothing outlives the run. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

import { Fault } from '../base/fault.ts';
import type { ContainerSpec, Engine } from './port.ts';

export const OWNER_LABEL = 'org.reenact.owner';
export const RUN_LABEL = 'org.reenact.run';

/** Removing a container is the engine's slowest small job: a few may be under way beside the replays. */
const MAX_REMOVALS = 4;

/** A process as nobody else can be it: machine, boot, pid namespace, pid, start time. */
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

/** True only when the owner certainly is no more: another machine's owners are never judged. */
export function isDead(label: string | undefined, here: Owner): boolean {
  const [machine, boot, pid, ticks] = (label ?? '').split('/');
  if (machine !== here.machine || !pid) return false;
  if (boot !== here.boot) return true;
  return startTicks(Number(pid)) !== ticks;
}

/** Creates containers and volumes for one run and removes all that is left when it ends. */
export class RunScope {
  readonly runId: string = randomBytes(8).toString('hex');
  readonly labels: Record<string, string>;
  private readonly containers = new Set<string>();
  private readonly volumes = new Set<string>();
  private readonly removals = new Set<Promise<void>>();
  private readonly engine: Engine;
  private closing = false;
  constructor(engine: Engine) {
    this.engine = engine;
    this.labels = { [RUN_LABEL]: this.runId, [OWNER_LABEL]: formatOwner(thisOwner()) };
  }

  async container(spec: Omit<ContainerSpec, 'labels'>): Promise<string> {
    const id = await this.engine.create({ ...spec, labels: this.labels });
    this.containers.add(id);
    if (this.closing) await this.removeContainer(id);
    return id;
  }

  async removeContainer(id: string): Promise<void> {
    await this.engine.remove(id);
    this.containers.delete(id);
  }

  /** Removes a container while other work goes on; waits only when many removals are under way already. */
  async discard(id: string): Promise<void> {
    const removal = this.removeContainer(id)
      .catch(() => undefined) // close() tries again what is still in the set, and reports it.
      .finally(() => this.removals.delete(removal));
    this.removals.add(removal);
    if (this.removals.size > MAX_REMOVALS) await Promise.race(this.removals);
  }

  async volume(purpose: string): Promise<string> {
    const name = `reenact-${this.runId}-${purpose}-${this.volumes.size}`;
    this.volumes.add(name);
    await this.engine.createVolume(name, this.labels);
    return name;
  }

  /** Removes everything; the first failure is thrown after all was tried. */
  async close(): Promise<void> {
    this.closing = true;
    await Promise.all(this.removals);
    const faults: unknown[] = [];
    const attempt = (work: Promise<void>): Promise<void> => work.catch((error) => void faults.push(error));
    await Promise.all([...this.containers].map((id) => attempt(this.removeContainer(id))));
    for (const name of this.volumes) await attempt(this.engine.removeVolume(name));
    if (faults.length > 0) throw faults[0];
  }
}

/** Removes what runners that were killed left behind on this machine; returns how many things.
 * Another runner may be sweeping as well, so what cannot be removed now is left to the next start. */
export async function sweep(engine: Engine): Promise<number> {
  const here = thisOwner();
  const left = (await engine.owned(OWNER_LABEL)).filter((one) => isDead(one.labels[OWNER_LABEL], here));
  let removed = 0;
  for (const kind of ['container', 'volume'] as const)
    for (const { id } of left.filter((one) => one.kind === kind)) {
      const work = kind === 'container' ? engine.remove(id) : engine.removeVolume(id);
      await work.then(() => removed++).catch(ignoreFault);
    }
  return removed;
}

function ignoreFault(error: unknown): void {
  if (!(error instanceof Fault)) throw error;
}
