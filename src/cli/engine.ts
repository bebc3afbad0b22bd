/** Finding the engine of this environment. */
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
  return connectDocker(found.endpoint, found.address, (text) => process.stderr.write(`\nreenact: ${text}\n`));
}
