/** What every sandbox container is made with, in the Engine API's words: the walls around a stranger's program. */
import { LIMITS } from '../base/limits.ts';
import type { ContainerSpec } from './engine.ts';

/** The body of POST /containers/create. Podman takes the seccomp profile as a path, Docker as its content. */
export function createOptions(spec: ContainerSpec, wantsProfilePath: boolean): Record<string, unknown> {
  return {
    Image: spec.image,
    Entrypoint: spec.argv.slice(0, 1),
    Cmd: spec.argv.slice(1),
    Env: spec.env,
    User: spec.user,
    WorkingDir: '/work',
    Hostname: spec.hostname ?? 'reenact',
    Labels: spec.labels,
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    // An image's health check would run a second program beside the one replayed.
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      NetworkMode: 'none',
      CapDrop: ['ALL'],
      SecurityOpt: [
        'no-new-privileges',
        `seccomp=${wantsProfilePath ? spec.seccomp.path : spec.seccomp.json}`,
      ],
      PidsLimit: spec.limits.pids,
      Memory: spec.limits.memoryBytes,
      MemorySwap: spec.limits.memoryBytes,
      NanoCpus: Math.round(spec.limits.cpus * 1e9),
      ...(spec.cpuset === undefined ? {} : { CpusetCpus: spec.cpuset }),
      LogConfig: { Type: 'none', Config: {} },
      ShmSize: LIMITS.shmBytes,
      Ulimits: [
        { Name: 'core', Soft: 0, Hard: 0 },
        { Name: 'fsize', Soft: LIMITS.fileBytes, Hard: LIMITS.fileBytes },
      ],
      Mounts: spec.mounts.map((mount) => ({
        Type: 'volume' as const,
        Source: mount.volume,
        Target: mount.target,
        ReadOnly: mount.readOnly,
        VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: 'local', Options: {} } },
      })),
    },
  };
}
