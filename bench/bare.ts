/** The plainest loop over the Engine API that still gets a program's output: what the runner is measured against. */
import Docker from 'dockerode';
import pLimit from 'p-limit';

import type { Endpoint } from '../src/sandbox/endpoint.ts';

async function once(docker: Docker, image: string): Promise<void> {
  const container = await docker.createContainer({
    Image: image,
    Cmd: ['busybox', 'true'],
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: { NetworkMode: 'none' },
  });
  const stream = await container.attach({ stream: true, stdout: true, stderr: true });
  stream.resume();
  await container.start();
  await container.wait();
  await container.remove();
}

/** Creates, attaches, starts, waits for and removes `count` containers, `jobs` at a time. */
export async function bareLoop(
  endpoint: Endpoint,
  image: string,
  count: number,
  jobs: number,
): Promise<void> {
  const docker = new Docker(endpoint);
  const limit = pLimit(jobs);
  await Promise.all(Array.from({ length: count }, () => limit(() => once(docker, image))));
}
