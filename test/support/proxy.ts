/** A socket before the engine's own, or a registry's, which can hold back what is asked or answered, or fall silent as one does that hangs. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';

import { findEndpoint } from '../../src/sandbox/endpoint.ts';
import { tempFolder } from './world.ts';

export class EngineProxy {
  readonly address: string;
  private readonly path: string;
  private readonly to: string | undefined;
  private readonly sockets = new Set<Socket>();
  private silent = false;
  private readonly server = createServer((client) => this.take(client));
  /** Milliseconds that a request waits whose first line this matches. */
  holdBack: { line: RegExp; ms: number } | undefined;

  /** Answers to requests whose first line this matches: so many bytes of each pass, and no more. */
  stall: { line: RegExp; bytes: number } | undefined;
  /** Such answers come in so many pieces a second, of so many bytes. */
  slow: { line: RegExp; bytes: number; perSecond: number } | undefined;

  /** Before the engine; `to`: before the server on that port of this machine, at a port of its own. */
  constructor(to?: string) {
    this.to = to;
    this.path = join(tempFolder(), 's');
    this.address = `unix://${this.path}`;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => {
      if (this.to) this.server.listen(0, '127.0.0.1', resolve);
      else this.server.listen(this.path, resolve);
    });
  }

  /** Of one before a server. */
  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  private connect(): Socket {
    if (this.to) {
      const [host, port] = this.to.split(':');
      return connect(Number(port), host);
    }
    const { endpoint } = findEndpoint(process.env)!;
    return connect('socketPath' in endpoint ? endpoint.socketPath : '');
  }

  /** What passes of an answer, now or later; returns in how many milliseconds the last of it. */
  private answer(line: string, bytes: Buffer, passed: number, send: (bytes: Buffer) => void): number {
    const { stall, slow } = this;
    let delayMs = 0;
    if (stall?.line.test(line)) {
      const some = bytes.subarray(0, Math.max(0, stall.bytes - passed));
      if (some.length > 0) send(some);
    } else if (slow?.line.test(line))
      for (let at = 0; at < bytes.length; at += slow.bytes) {
        delayMs = ((passed + at) / slow.bytes / slow.perSecond) * 1000;
        setTimeout(() => send(bytes.subarray(at, at + slow.bytes)), delayMs);
      }
    else send(bytes);
    return delayMs;
  }

  private take(client: Socket): void {
    const engine = this.connect();
    let [asked, passed, lateMs] = ['', 0, 0];
    for (const [from, to] of [
      [client, engine],
      [engine, client],
    ] as const) {
      this.sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => {
        // Of what stalls, the end does not come through, either.
        if (from === client || !this.stall?.line.test(asked))
          setTimeout(() => to.destroy(), from === engine ? lateMs + 20 : 0);
      });
      from.on('data', (bytes) => {
        const { holdBack } = this;
        const send = (some: Buffer): void => {
          if (!this.silent) to.write(some);
        };
        if (from === engine) {
          lateMs = this.answer(asked, bytes, passed, send);
          passed += bytes.length;
          return;
        }
        const line = bytes.toString('latin1').split('\r\n')[0]!;
        if (/ HTTP\/1\.1$/.test(line)) [asked, passed] = [line, 0];
        if (holdBack?.line.test(line)) setTimeout(() => send(bytes), holdBack.ms);
        else send(bytes);
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
