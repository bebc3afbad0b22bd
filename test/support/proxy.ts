/** A socket before the engine's own, which can hold a request back, or fall silent as an engine does that hangs. */
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';

import { findEndpoint } from '../../src/sandbox/endpoint.ts';
import { tempFolder } from './world.ts';

export class EngineProxy {
  readonly address: string;
  private readonly path: string;
  private readonly sockets = new Set<Socket>();
  private silent = false;
  private readonly server = createServer((client) => this.take(client));
  /** Milliseconds that a request waits whose first line this matches. */
  holdBack: { line: RegExp; ms: number } | undefined;

  constructor() {
    this.path = join(tempFolder(), 's');
    this.address = `unix://${this.path}`;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.server.listen(this.path, resolve));
  }

  private take(client: Socket): void {
    const { endpoint } = findEndpoint(process.env)!;
    const engine = connect('socketPath' in endpoint ? endpoint.socketPath : '');
    for (const [from, to] of [
      [client, engine],
      [engine, client],
    ] as const) {
      this.sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => to.destroy());
      from.on('data', (bytes) => {
        const { holdBack } = this;
        const send = (): void => {
          if (!this.silent) to.write(bytes);
        };
        if (from === client && holdBack?.line.test(bytes.toString('latin1').split('\r\n')[0]!))
          setTimeout(send, holdBack.ms);
        else send();
      });
    }
  }

  /** From now on nothing is answered; connections are still taken. */
  fallSilent(): void {
    this.silent = true;
  }

  /** As an engine that was killed: connections end, and none is taken any more. */
  die(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}
