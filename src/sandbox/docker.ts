/** The Docker Engine adapter (Podman's compatible socket too): the only file that knows dockerode. */
import type { Readable } from 'node:stream';
import Docker from 'dockerode';

import { asFault, type FaultCode } from '../base/fault.ts';
import { OtherLost, Patience, type Turn, Unanswered, type Wait, type Waiting } from '../base/patience.ts';
import { errnoOf } from '../base/thrown.ts';
import { apiVersionOf, type Offered } from './api-version.ts';
import { createOptions } from './create-options.ts';
import type { Endpoint } from './endpoint.ts';
import type {
  AttachedStreams,
  ContainerFacts,
  ContainerSpec,
  Engine,
  EngineFacts,
  ImageFacts,
  OnOutput,
  Owned,
} from './engine.ts';
import { loadFailure } from './pull-failure.ts';
import { attached, received, sent } from './transfer.ts';
import { unreachable } from './unreachable.ts';

function statusOf(error: unknown): number | undefined {
  return (error as { statusCode?: number } | undefined)?.statusCode;
}

class DockerEngine implements Engine {
  readonly address: string;
  private readonly docker: Docker;
  private readonly apiVersion: string;
  private readonly isPodman: boolean;
  private readonly patience: Patience;
  constructor(docker: Docker, address: string, apiVersion: string, isPodman: boolean, patience: Patience) {
    this.docker = docker;
    this.address = address;
    this.apiVersion = apiVersion;
    this.isPodman = isPodman;
    this.patience = patience;
  }

  /** Every call goes through here, so that none waits for ever and a library's errors become Faults. */
  private async ask<T>(
    what: string,
    call: (turn: Turn) => Promise<T>,
    wait: Omit<Wait, 'what'> = {},
  ): Promise<T> {
    try {
      return await this.patience.wait({ what, ...wait }, call);
    } catch (error) {
      const gone =
        error instanceof OtherLost ||
        ['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE'].includes(errnoOf(error));
      const code: FaultCode = gone ? 'engine_unreachable' : 'engine_failed';
      throw asFault(code, `the engine at ${this.address} could not ${what}`, error);
    }
  }

  /** A request that has nothing left to do if it is refused with one of these statuses. */
  private askUnless(statuses: number[], what: string, call: () => Promise<unknown>): Promise<void> {
    return this.ask(what, async () => {
      await call().catch((error: unknown) => {
        if (!statuses.includes(statusOf(error) ?? 0)) throw error;
      });
    });
  }

  /** A failure after the answer began is reported in its lines, under status 200; the library ignores that. */
  private follow(stream: NodeJS.ReadableStream, heard: () => void): Promise<void> {
    return new Promise((resolve, reject) =>
      this.docker.modem.followProgress(
        stream,
        (error, lines: { error?: string }[]) => {
          const told = lines.find((line) => line.error)?.error;
          if (error || told) reject(error ?? new Error(told));
          else resolve();
        },
        heard,
      ),
    );
  }

  private receive(what: string, call: () => Promise<NodeJS.ReadableStream>): Promise<Readable> {
    const { address, patience } = this;
    return this.ask(what, async () => received((await call()) as Readable, what, address, patience));
  }

  facts(): Promise<EngineFacts> {
    return this.ask('describe itself', async () => {
      const [info, version] = await Promise.all([this.docker.info(), this.docker.version()]);
      return {
        engine: this.isPodman ? 'podman' : 'docker',
        version: version.Version,
        apiVersion: this.apiVersion,
        kernel: info.KernelVersion,
        architecture: info.Architecture,
        cgroupVersion: String(info.CgroupVersion ?? '1'),
        storageDriver: info.Driver,
        securityOptions: info.SecurityOptions ?? [],
        cpus: info.NCPU,
        memoryBytes: info.MemTotal,
        warnings: info.Warnings ?? [],
      };
    });
  }

  image(reference: string): Promise<ImageFacts | undefined> {
    return this.ask(`look up image ${reference}`, async () => {
      try {
        const found = await this.docker.getImage(reference).inspect();
        return {
          id: found.Id,
          diffIds: found.RootFS?.Layers ?? [],
          os: found.Os,
          architecture: found.Architecture,
        };
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }
    });
  }

  async pull(
    repository: string,
    digest: string,
    signal: AbortSignal,
    onProgress: () => void = () => undefined,
  ): Promise<void> {
    const name = `${repository}@${digest}`;
    try {
      await this.patience.wait({ what: `pull ${name}` }, async (turn) => {
        const abortSignal = AbortSignal.any([signal, turn.signal]);
        await this.follow(await this.docker.pull(name, { abortSignal }), () => {
          turn.heard();
          onProgress();
        });
      });
    } catch (error) {
      if (error instanceof Unanswered)
        throw asFault('engine_unreachable', `the engine at ${this.address} could not pull ${name}`, error);
      const code = statusOf(error) === 404 ? 'image_not_found' : 'registry_unreachable';
      throw loadFailure(code, `cannot pull ${repository}@${digest}`, error);
    }
  }

  load(archive: Readable, signal: AbortSignal): Promise<void> {
    const load = async (turn: Turn): Promise<void> => {
      const abortSignal = AbortSignal.any([signal, turn.signal]);
      try {
        await this.follow(await this.docker.loadImage(sent(archive, turn), { abortSignal }), turn.heard);
      } catch (error) {
        throw loadFailure('engine_failed', `the engine at ${this.address} could not load an image`, error);
      } finally {
        // An engine that refuses does not read to the end, and the file would stay open.
        archive.destroy();
      }
    };
    return this.ask('load an image', load);
  }

  removeImage(name: string): Promise<void> {
    return this.askUnless([404], `remove image ${name}`, () => this.docker.getImage(name).remove());
  }

  saveImage(id: string): Promise<Readable> {
    return this.receive(`save image ${id}`, () => this.docker.getImage(id).get());
  }

  create(spec: ContainerSpec): Promise<string> {
    return this.ask('create a container', async () => {
      const container = await this.docker.createContainer(
        createOptions(spec, this.isPodman) as Docker.ContainerCreateOptions,
      );
      return container.id;
    });
  }

  inspect(id: string): Promise<ContainerFacts> {
    return this.ask('inspect a container', async () => {
      const found = await this.docker.getContainer(id).inspect();
      const data = found.GraphDriver?.Data as { UpperDir?: string; LowerDir?: string } | undefined;
      const overlay =
        data?.UpperDir && data.LowerDir
          ? { upper: data.UpperDir, lower: data.LowerDir.split(':') }
          : undefined;
      const image = found.Image.startsWith('sha256:') ? found.Image : `sha256:${found.Image}`;
      return {
        id: found.Id,
        image,
        overlay,
        oomKilled: found.State.OOMKilled === true,
        running: found.State.Running === true,
        labels: found.Config.Labels ?? {},
      };
    });
  }

  attach(id: string, onOutput: OnOutput): Promise<AttachedStreams> {
    return this.ask('attach to a container', async () => {
      const stream = await this.docker
        .getContainer(id)
        .attach({ stream: true, hijack: true, stdin: true, stdout: true, stderr: true });
      const rest = (drain: (turn: Turn) => Promise<void>): Promise<void> => {
        const { quietMs } = this.patience.limits;
        return this.ask('pass on the rest of a container’s output', drain, { quietMs });
      };
      return attached(stream, onOutput, rest);
    });
  }

  async start(id: string): Promise<void> {
    await this.ask('start a container', () => this.docker.getContainer(id).start());
  }

  waitNextExit(id: string): Promise<number> {
    const wait = async (): Promise<number> => {
      const result = await this.docker.getContainer(id).wait({ condition: 'next-exit' });
      return result.StatusCode as number;
    };
    return this.ask('wait for a container', wait, { quietMs: Number.POSITIVE_INFINITY, silent: true });
  }

  kill(id: string): Promise<void> {
    const kill = (): Promise<unknown> => this.docker.getContainer(id).kill({ signal: 'SIGKILL' });
    return this.askUnless([404, 409], 'kill a container', kill);
  }

  remove(id: string): Promise<void> {
    const remove = (): Promise<unknown> => this.docker.getContainer(id).remove({ force: true, v: true });
    return this.askUnless([404, 409], 'remove a container', remove);
  }

  async putArchive(id: string, folder: string, tar: Readable): Promise<void> {
    await this.ask(`put files into ${folder}`, (turn) =>
      this.docker.getContainer(id).putArchive(sent(tar, turn), { path: folder }),
    );
  }

  exportFiles(id: string): Promise<Readable> {
    return this.receive('export a container', () => this.docker.getContainer(id).export());
  }

  changedPaths(id: string): Promise<{ path: string; deleted: boolean }[]> {
    return this.ask('list a container’s changes', async () => {
      const changes = (await this.docker.getContainer(id).changes()) as
        | { Path: string; Kind: number }[]
        | null;
      return (changes ?? []).map((change) => ({ path: change.Path, deleted: change.Kind === 2 }));
    });
  }

  async createVolume(name: string, labels: Record<string, string>): Promise<void> {
    await this.ask('create a volume', () => this.docker.createVolume({ Name: name, Labels: labels }));
  }

  removeVolume(name: string): Promise<void> {
    return this.askUnless([404], 'remove a volume', () => this.docker.getVolume(name).remove());
  }

  owned(label: string): Promise<Owned[]> {
    return this.ask('list containers and volumes', async () => {
      const filters = { label: [label] };
      const [containers, volumes] = await Promise.all([
        this.docker.listContainers({ all: true, filters }),
        this.docker.listVolumes({ filters: filters as never }),
      ]);
      return [
        ...containers.map((c): Owned => ({ kind: 'container', id: c.Id, labels: c.Labels })),
        ...(volumes.Volumes ?? []).map(
          (v): Owned => ({ kind: 'volume', id: v.Name, labels: v.Labels ?? {} }),
        ),
      ];
    });
  }
}

/** Connects and negotiates the API version: the engine's own maximum, at most the one this adapter knows. */
export async function connectDocker(endpoint: Endpoint, address: string, waiting?: Waiting): Promise<Engine> {
  const docker = new Docker(endpoint);
  const patience = new Patience({ name: 'the engine', address, ping: () => docker.ping() }, waiting);
  let version: Docker.DockerVersion & Offered & { Components?: { Name: string }[] };
  try {
    version = await patience.wait({ what: 'say what it is' }, () => docker.version());
  } catch (error) {
    throw unreachable(address, endpoint, error);
  }
  const api = apiVersionOf(version, address);
  const isPodman = (version.Components ?? []).some((component) => /podman/i.test(component.Name));
  return new DockerEngine(new Docker({ ...endpoint, version: `v${api}` }), address, api, isPodman, patience);
}
