/** Finds the engine to use: DOCKER_HOST, else the first well-known socket that is there and may be used. */
import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';

import { cacheFolder } from '../base/cache-folder.ts';
import { Fault } from '../base/fault.ts';
import { nearest } from '../base/nearest.ts';

/** Where an engine listens: a Unix socket or a TCP address. */
export type Endpoint = { socketPath: string } | { protocol: 'http'; host: string; port: number };

/** Where `npm run setup` puts the engine of its own. */
export function privateSocket(env: NodeJS.ProcessEnv): string {
  return join(cacheFolder(env), 'engine', 'docker.sock');
}

/** Sockets tried in order when DOCKER_HOST is not set. */
export function knownSockets(env: NodeJS.ProcessEnv): string[] {
  return [
    '/var/run/docker.sock',
    ...(env.XDG_RUNTIME_DIR
      ? [join(env.XDG_RUNTIME_DIR, 'docker.sock'), join(env.XDG_RUNTIME_DIR, 'podman', 'podman.sock')]
      : []),
    '/run/podman/podman.sock',
    privateSocket(env),
  ];
}

/** What a mistyped DOCKER_HOST was most likely meant to be. */
function meantHost(text: string): string | undefined {
  if (/^\/[^\s]+$/.test(text)) return `unix://${text}`;
  if (/^[a-z0-9.-]+:\d+$/i.test(text)) return `tcp://${text}`;
  const [, scheme = '', rest = ''] = /^([a-z]+):\/*(.*)$/i.exec(text) ?? [];
  const near = nearest(scheme, ['unix', 'tcp', 'http']);
  if (near === 'unix' && rest !== '') return `unix:///${rest}`;
  return near !== undefined && /^[^/:]+:\d+\/?$/.test(rest) ? `${near}://${rest}` : undefined;
}

/** The command that corrects it; no word of it needs quoting, for what was meant holds neither blanks nor signs of a shell. */
function correction(text: string): string {
  const meant = meantHost(text);
  return meant !== undefined && /^[\w./:@-]+$/.test(meant)
    ? `export DOCKER_HOST=${meant}`
    : 'unset DOCKER_HOST';
}

/** The command that corrects a DOCKER_HOST which cannot be read; undefined for one that can. */
export function correctedHost(text: string): string | undefined {
  try {
    parseDockerHost(text);
    return undefined;
  } catch {
    return correction(text);
  }
}

/** Parses DOCKER_HOST: unix:///path or tcp://host:port. */
export function parseDockerHost(text: string): Endpoint {
  if (text.startsWith('unix://')) return { socketPath: text.slice('unix://'.length) };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && (url.protocol === 'tcp:' || url.protocol === 'http:') && url.hostname && url.port)
    return { protocol: 'http', host: url.hostname, port: Number(url.port) };
  throw new Fault(
    'usage',
    `DOCKER_HOST is "${text}"; unix:///path and tcp://host:port are understood`,
    undefined,
    `correct it, such as by ${correction(text)}; where it is unset, the first socket that is there is used`,
  );
}

function mayUse(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The endpoint to use and how to name it in messages; undefined when no engine's socket is there. */
export function findEndpoint(env: NodeJS.ProcessEnv): { endpoint: Endpoint; address: string } | undefined {
  if (env.DOCKER_HOST) return { endpoint: parseDockerHost(env.DOCKER_HOST), address: env.DOCKER_HOST };
  // An engine of the user's own stands behind one of the machine's that the user may not use.
  const there = knownSockets(env).filter((path) => existsSync(path));
  const socketPath = there.find(mayUse) ?? there[0];
  return socketPath ? { endpoint: { socketPath }, address: `unix://${socketPath}` } : undefined;
}
