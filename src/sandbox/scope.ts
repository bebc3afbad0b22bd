/** Everything one run creates on the engine, labelled with its owner, so that nothing outlives the run. */
import { randomBytes } from 'node:crypto';

import { Fault } from '../base/fault.ts';
import { formatOwner, isDead, thisOwner } from '../base/owner.ts';
import type { ContainerSpec, Engine } from './engine.ts';

export const OWNER_LABEL = 'org.reenact.owner';
export const RUN_LABEL = 'org.reenact.run';

/** Removing a container is the engine's slowest small job: a few may be under way beside the replays. */
const MAX_REMOVALS = 4;

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
