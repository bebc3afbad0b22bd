/** Servers on loopback that are silent, stop in the middle, or are slow: sockets, so that nothing answers by itself. */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll } from 'vitest';

import { sleep } from '../../src/base/clock.ts';
import { PATIENCE } from '../../src/base/patience.ts';

const closing: (() => void)[] = [];
afterAll(() => {
  for (const close of closing.splice(0)) close();
});

/** PATIENCE, a hundred times faster. */
export const FAST: typeof PATIENCE = Object.fromEntries(
  Object.entries(PATIENCE).map(([name, ms]) => [name, ms / 100]),
) as typeof PATIENCE;

/** What a server does with a request, of which the first bytes are given. */
export type Behaviour = (socket: Socket, request: string) => void;

/** Takes connections on a free port; returns its host and port. */
export async function slowServer(behaviour: Behaviour): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', (bytes) => behaviour(socket, bytes.toString('latin1')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const HEAD = 'HTTP/1.1 200 OK\r\nconnection: close\r\n';

/** Accepts, and says nothing. */
export const silent: Behaviour = () => undefined;

/** Says that so much comes, sends a little of it, and stops. */
export const stopping: Behaviour = (socket) => {
  socket.write(`${HEAD}content-length: 1000\r\n\r\nabc`);
};

/** Answers nothing but a look whether it lives, at `path`. */
export function livingBut(path: string, otherwise: Behaviour): Behaviour {
  return (socket, request) => {
    if (request.startsWith(`GET ${path} `))
      socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n');
    else otherwise(socket, request);
  };
}

/** Sends `bytes` one by one, each after a pause. */
export function byteByByte(bytes: string, pauseMs: number): Behaviour {
  return async (socket) => {
    socket.write(`${HEAD}content-length: ${bytes.length}\r\n\r\n`);
    for (const byte of bytes) {
      await sleep(pauseMs);
      socket.write(byte);
    }
    socket.end();
  };
}
