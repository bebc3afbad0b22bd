/** What commands that need an engine share: finding it, and ending in order when interrupted. */
import { Fault } from '../base/fault.ts';
import { connectDocker } from '../sandbox/docker.ts';
import { findEndpoint, knownSockets } from '../sandbox/endpoint.ts';
import type { Engine } from '../sandbox/port.ts';

/** Connects to the engine of this environment, or says where one was looked for. */
export async function connectEngine(): Promise<Engine> {
  const found = findEndpoint(process.env);
  if (!found)
    throw new Fault(
      'engine_unreachable',
      `no container engine: DOCKER_HOST is not set, and none of these is there: ${knownSockets(process.env).join(', ')}`,
    );
  return connectDocker(found.endpoint, found.address);
}

/** Aborts on SIGINT or SIGTERM, so that cleaning up still happens; a second signal ends at once. */
export function abortOnSignals(): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130);
    process.stderr.write('\nreenact: stopping, and removing what was created (again to leave at once)\n');
    controller.abort(new Fault('interrupted', 'interrupted'));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return {
    signal: controller.signal,
    release: () => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    },
  };
}
