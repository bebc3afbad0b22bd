/** A container engine in memory, for the logic around one: programs are functions, and no wall is tried; the real engine proves those. */
import { createHmac } from 'node:crypto';
import type { Readable } from 'node:stream';

import { canonicalJson } from '../../src/base/canonical-json.ts';
import { type Digest, digestOf } from '../../src/base/digest.ts';
import type {
  AttachedStreams,
  ContainerFacts,
  ContainerSpec,
  Engine,
  EngineFacts,
  ImageFacts,
  OnOutput,
  Owned,
} from '../../src/sandbox/engine.ts';
import { type Harness, harnessOf } from '../../src/sandbox/harness.ts';
import type { Observed } from '../../src/sandbox/probe.ts';
import { tarOf } from '../../src/sandbox/volume.ts';
import type { BlobStore } from '../../src/store/blobs.ts';

/** What a program does, once it is started. */
export interface Ran {
  stdout?: string;
  exitCode?: number;
  /** Written below /work. */
  files?: Record<string, string>;
  /** PID 1's last words are under another key than it was sent. */
  forged?: boolean;
  /** It is over when this is, or when it is killed. */
  until?: Promise<unknown>;
}

interface Container {
  spec: ContainerSpec;
  files: Record<string, string>;
  running: boolean;
  onOutput: OnOutput;
  ended: PromiseWithResolvers<number>;
}

const DIFF_ID = digestOf('the only layer');
const CONFIG = Buffer.from(
  JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { diff_ids: [DIFF_ID] } }),
);
const MANIFEST = Buffer.from(
  JSON.stringify({ config: { digest: digestOf(CONFIG) }, layers: [{ digest: DIFF_ID }] }),
);
export const IMAGE: Digest = digestOf(MANIFEST);

/** Puts the image's documents where a run looks first, so that no registry is asked. */
export async function keepImage(images: BlobStore): Promise<void> {
  for (const bytes of [MANIFEST, CONFIG]) await images.put(bytes);
}

/** A PID 1 of the right processor; nothing runs it. */
export function memoryHarness(): Harness {
  const init = Buffer.alloc(20);
  init.writeUInt16LE(62, 18);
  return harnessOf(init, '{}', '/none');
}

function trailer(key: Uint8Array, exitCode: number): Buffer {
  const payload = `reenact-end/1 kind=exit value=${exitCode} oom=0 hidden=0 ms=1`.padEnd(128);
  return Buffer.from(`${payload}\n${createHmac('sha256', key).update(payload).digest('hex')}\n`);
}

export class MemoryEngine implements Engine {
  readonly address = 'memory';
  /** Every call that was made, in order. */
  readonly calls: string[] = [];
  readonly containers: Map<string, Container> = new Map();
  readonly volumes: Map<string, Record<string, string>> = new Map();
  /** What the probe sees otherwise than a sandbox that holds. */
  seen: Partial<Observed> = {};
  diffIds: string[] = [DIFF_ID];
  /** Called before each call with its name and how many of that name there were; what it throws, the call fails with. */
  before: (call: string, nth: number) => void = () => undefined;
  private readonly program: (nth: number, spec: ContainerSpec) => Ran;
  private started = 0;
  private made = 0;

  constructor(program: (nth: number, spec: ContainerSpec) => Ran) {
    this.program = program;
  }

  private async call(name: string): Promise<void> {
    this.calls.push(name);
    this.before(name, this.calls.filter((one) => one === name).length);
  }

  private container(id: string): Container {
    const found = this.containers.get(id);
    if (!found) throw new Error(`no container ${id}`);
    return found;
  }

  async facts(): Promise<EngineFacts> {
    await this.call('facts');
    const versions = { engine: 'memory', version: '1', apiVersion: '1', kernel: '6.1', cgroupVersion: '2' };
    const machine = { architecture: 'x86_64', storageDriver: 'memory', cpus: 2, memoryBytes: 2 ** 30 };
    return { ...versions, ...machine, securityOptions: [], warnings: [] };
  }

  async image(reference: string): Promise<ImageFacts | undefined> {
    await this.call('image');
    if (reference !== digestOf(CONFIG)) return undefined;
    return { id: 'image', diffIds: this.diffIds, os: 'linux', architecture: 'amd64' };
  }

  pull = (): Promise<void> => this.call('pull');
  load = (): Promise<void> => this.call('load');
  removeImage = (): Promise<void> => this.call('removeImage');

  async saveImage(): Promise<Readable> {
    throw new Error('not in memory');
  }

  async create(spec: ContainerSpec): Promise<string> {
    await this.call('create');
    const id = `c${++this.made}`;
    const ended = Promise.withResolvers<number>();
    this.containers.set(id, { spec, files: {}, running: false, onOutput: () => undefined, ended });
    return id;
  }

  async inspect(id: string): Promise<ContainerFacts> {
    await this.call('inspect');
    const { running, spec } = this.container(id);
    return { id, image: spec.image, overlay: undefined, oomKilled: false, running, labels: spec.labels };
  }

  async attach(id: string, onOutput: OnOutput): Promise<AttachedStreams> {
    await this.call('attach');
    const container = this.container(id);
    container.onOutput = onOutput;
    const ended = container.ended.promise.then(() => undefined);
    return {
      sendInput: (key) => void this.run(container, Buffer.from(key)),
      ended,
      rest: () => ended,
      close: () => undefined,
    };
  }

  /** PID 1 begins when it has its key. */
  private async run(container: Container, key: Buffer): Promise<void> {
    const { spec, onOutput, ended } = container;
    const isProbe = spec.argv.includes('--probe');
    const ran: Ran = isProbe ? { stdout: this.report(spec) } : this.program(++this.started, spec);
    const killed = await Promise.race([ran.until, ended.promise.then(() => true)]);
    if (killed === true) return;
    for (const [name, text] of Object.entries(ran.files ?? {})) container.files[`work/${name}`] = text;
    onOutput('stdout', Buffer.from(ran.stdout ?? ''));
    onOutput('stderr', trailer(ran.forged ? Buffer.alloc(32) : key, ran.exitCode ?? 0));
    container.running = false;
    ended.resolve(ran.exitCode ?? 0);
  }

  private report({ user, limits }: ContainerSpec): string {
    const [uid = 0, gid = 0] = user.split(':').map(Number);
    const walls = { no_new_privs: '1', seccomp: '2', cap_permitted: '0', cap_bounding: '0' };
    const errnos = {
      seccomp_sentinel: 77,
      harness_write_errno: 30,
      case_write_errno: 30,
      work_write_errno: 0,
    };
    const { memoryBytes, pids, cpus } = limits;
    const seen: Observed = {
      ...{ uid, gid, hostname: 'reenact', kernel: '6.1', machine: 'x86_64', ...walls, ...errnos },
      ...{
        rlimit_core: 0,
        rlimit_fsize: 0,
        interfaces: 0,
        work_entries: 0,
        memory_limit: String(memoryBytes),
      },
      ...{ swap_limit: '0', pids_limit: String(pids), cpu_quota_us: `${cpus * 100_000} 100000` },
      ...this.seen,
    };
    return canonicalJson({ ...seen });
  }

  async start(id: string): Promise<void> {
    await this.call('start');
    this.container(id).running = true;
  }

  async waitNextExit(id: string): Promise<number> {
    await this.call('waitNextExit');
    return this.container(id).ended.promise;
  }

  async kill(id: string): Promise<void> {
    await this.call('kill');
    const container = this.container(id);
    container.running = false;
    container.ended.resolve(137);
  }

  async remove(id: string): Promise<void> {
    await this.call('remove');
    this.containers.delete(id);
  }

  async putArchive(_id: string, _folder: string, archive: Readable): Promise<void> {
    archive.destroy();
    await this.call('putArchive');
  }

  async exportFiles(id: string): Promise<Readable> {
    await this.call('exportFiles');
    const files = { 'etc/name': 'memory', ...this.container(id).files };
    return tarOf(
      Object.entries(files).map(([path, text]) => ({ path, mode: 0o644, content: Buffer.from(text) })),
    );
  }

  async changedPaths(): Promise<{ path: string; deleted: boolean }[]> {
    throw new Error('not in memory');
  }

  async createVolume(name: string, labels: Record<string, string>): Promise<void> {
    await this.call('createVolume');
    this.volumes.set(name, labels);
  }

  async removeVolume(name: string): Promise<void> {
    await this.call('removeVolume');
    this.volumes.delete(name);
  }

  async owned(): Promise<Owned[]> {
    await this.call('owned');
    return [
      ...[...this.containers].map(
        ([id, { spec }]): Owned => ({ kind: 'container', id, labels: spec.labels }),
      ),
      ...[...this.volumes].map(([id, labels]): Owned => ({ kind: 'volume', id, labels })),
    ];
  }
}
