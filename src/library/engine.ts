/** Finding the engine of this environment. */
import { Fault } from '../base/fault.ts';
import type { Waiting } from '../base/patience.ts';
import { findEndpoint, knownSockets } from '../sandbox/endpoint.ts';
import type { Engine } from '../sandbox/engine.ts';

/**
 * Connects to the engine that DOCKER_HOST names, else to the first well-known socket that is there; `waiting` has
 * who hears when the engine lets us wait, and other limits; a signal would end cleaning up, too.
 * @throws Fault engine_unreachable, which says where an engine was looked for
 */
export async function connectEngine(waiting: Omit<Waiting, 'signal'> = {}): Promise<Engine> {
  const found = findEndpoint(process.env);
  if (!found)
    throw new Fault(
      'engine_unreachable',
      `no container engine: DOCKER_HOST is not set, and none of these is there: ${knownSockets(process.env).join(', ')}`,
    );
  const { connectDocker } = await import('../sandbox/docker.ts');
  return connectDocker(found.endpoint, found.address, waiting);
}
