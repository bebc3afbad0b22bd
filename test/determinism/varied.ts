/** An engine whose containers differ in what must not matter: load, host name, pids, processors, folder order. */
import { spawn } from 'node:child_process';
import { finished } from 'node:stream/promises';
import Docker from 'dockerode';

import { asFault } from '../../src/base/fault.ts';
import { createOptions } from '../../src/sandbox/create-options.ts';
import { connectDocker } from '../../src/sandbox/docker.ts';
import { findEndpoint } from '../../src/sandbox/endpoint.ts';
import type { ContainerSpec, Engine } from '../../src/sandbox/engine.ts';

/** What is different about one container; the time of day differs by itself. */
interface Variation {
  hostname: string;
  cpuset: string;
  /** Pids taken before the program's, beside those of the shell that takes them. */
  pids: number;
  /** Programs that keep the machine busy meanwhile. */
  load: number;
  /** In which order a folder was filled. */
  order: number;
}

const NAMES = [...'abcdefghijklmnop'];
/** The last step of a linear congruential sequence that visits all names. */
const STRIDES = [1, 3, 5, 7, 9, 11, 13, 15];

/** Neighbours differ in everything; few pids are taken, as engines differ by few. */
export function variationOf(number: number, cpus: number): Variation {
  const sets = cpus > 1 ? [`0-${cpus - 1}`, `${number % cpus}`, '0-1', `${(number + 1) % cpus}`] : ['0'];
  return {
    hostname: `host-${number * 7919}`,
    cpuset: sets[number % sets.length]!,
    pids: number % 4,
    load: [0, 1, 0, 0, 1][number % 5]!,
    order: number,
  };
}

/** A shell's text that takes pids and fills a folder in the given order; /dev/shm is no part of the state. */
function disturbance(v: Variation): string {
  const stride = STRIDES[v.order % STRIDES.length]!;
  const names = NAMES.map((_, i) => NAMES[(i * stride + v.order) % NAMES.length]!);
  const taken = Array.from({ length: v.pids }, () => '(:)').join(';');
  return `${taken ? `${taken};` : ''} mkdir -p /dev/shm/listed; cd /dev/shm/listed && for f in ${names.join(' ')}; do :>$f; done`;
}

/** A program that counts for at most some seconds, so that it ends even if it is never stopped. */
function busy(): () => void {
  const child = spawn('sh', ['-c', 'i=0; while [ $i -lt 20000000 ]; do i=$((i+1)); done'], {
    stdio: 'ignore',
  });
  return () => void child.kill('SIGKILL');
}

class Disturber {
  private readonly docker: Docker;
  private readonly cpus: number;
  private number = 0;
  private readonly variations = new Map<string, Variation>();
  private readonly quiet = new Map<string, (() => void)[]>();
  constructor(docker: Docker, cpus: number) {
    this.docker = docker;
    this.cpus = cpus;
  }

  /** The runner's own probe stays as it is: only containers with a time-out run a program. */
  async create(spec: ContainerSpec): Promise<string | undefined> {
    if (!spec.argv.includes('--timeout-ms') || spec.argv.includes('--probe')) return undefined;
    const v = variationOf(this.number++, this.cpus);
    const options = createOptions(spec, false) as Docker.ContainerCreateOptions;
    const HostConfig = { ...options.HostConfig, CpusetCpus: v.cpuset };
    const { id } = await this.docker
      .createContainer({ ...options, Hostname: v.hostname, HostConfig })
      .catch((error: unknown) => {
        throw asFault('engine_failed', 'the engine could not create a container that differs', error);
      });
    this.variations.set(id, v);
    return id;
  }

  /** Between the container's start and the key that PID 1 waits for, before it starts the program. */
  async disturb(id: string): Promise<void> {
    const v = this.variations.get(id);
    if (!v) return;
    const exec = await this.docker
      .getContainer(id)
      .exec({ Cmd: ['sh', '-c', disturbance(v)], AttachStdout: true, AttachStderr: true });
    const stream = await exec.start({});
    stream.resume();
    await finished(stream, { writable: false });
    this.quiet.set(
      id,
      Array.from({ length: v.load }, () => busy()),
    );
  }

  calm(id: string): void {
    for (const stop of this.quiet.get(id) ?? []) stop();
    this.quiet.delete(id);
    this.variations.delete(id);
  }
}

/** The machine's engine, each of its containers in another variation. */
export async function variedEngine(env: NodeJS.ProcessEnv): Promise<Engine> {
  const { endpoint, address } = findEndpoint(env)!;
  const engine = await connectDocker(endpoint, address);
  const disturber = new Disturber(new Docker(endpoint), (await engine.facts()).cpus);
  const varied: Partial<Engine> = {
    create: async (spec) => (await disturber.create(spec)) ?? engine.create(spec),
    attach: async (id, onOutput) => {
      const attachment = await engine.attach(id, onOutput);
      const sendInput = (bytes: Uint8Array): void => {
        // Without its key the program is not started, and the replay says so.
        void disturber.disturb(id).then(
          () => attachment.sendInput(bytes),
          (error: unknown) => {
            process.stderr.write(`a container could not be made to differ: ${String(error)}\n`);
            attachment.close();
          },
        );
      };
      return { ...attachment, sendInput };
    },
    waitNextExit: (id) => engine.waitNextExit(id).finally(() => disturber.calm(id)),
  };
  return Object.assign(Object.create(engine) as Engine, varied);
}
