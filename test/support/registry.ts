/** A registry of a test's own, as the OCI specification has them, which can be made to misbehave; and a bad connection. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createSocketServer, type Socket } from 'node:net';
import { afterAll } from 'vitest';

import { digestOf } from '../../src/base/digest.ts';

const servers: (() => void)[] = [];
afterAll(() => {
  for (const close of servers.splice(0)) close();
});

export interface Asked {
  method: string;
  /** Below /v2/cases/one/, with its query. */
  path: string;
  url: string;
  headers: IncomingMessage['headers'];
}

/** Answers in the registry's place, if it returns true. */
export type Hook = (asked: Asked, response: ServerResponse, request: IncomingMessage) => boolean | undefined;

const INDEX = 'application/vnd.oci.image.index.v1+json';

export class TestRegistry {
  readonly blobs: Map<string, Buffer> = new Map();
  readonly manifests: Map<string, Buffer> = new Map();
  readonly asked: Asked[] = [];
  /** Whether it lists referrers by itself. */
  lists = true;
  hook: Hook = () => false;
  port = 0;
  private readonly uploads: Map<string, Buffer> = new Map();

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  get repository(): string {
    return `${this.host}/cases/one`;
  }

  /** Requests as "METHOD first/path/part". */
  get log(): string[] {
    return this.asked.map(({ method, path }) => `${method} ${path.split('/')[0]}`);
  }

  static async start(): Promise<TestRegistry> {
    const registry = new TestRegistry();
    const server: Server = createServer((request, response) => void registry.serve(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    registry.port = (server.address() as AddressInfo).port;
    servers.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return registry;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '';
    const { headers, method = '' } = request;
    const asked = { method, path: url.replace('/v2/cases/one/', ''), url, headers };
    this.asked.push(asked);
    request.on('error', () => undefined);
    if (this.hook(asked, response, request)) return;
    const [kind, name = ''] = asked.path.split('?')[0]!.split('/');
    if (kind === 'blobs' && name === 'uploads') await this.upload(asked, request, response);
    else if (kind === 'blobs') this.file(this.blobs.get(name), asked, response);
    else if (kind === 'manifests' && method === 'PUT') await this.put(name, request, response);
    else if (kind === 'manifests') this.file(this.manifests.get(name), asked, response);
    else if (kind === 'referrers' && this.lists)
      response.end(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: this.referrersOf(name) }));
    else response.writeHead(404).end();
  }

  private referrersOf(root: string): unknown[] {
    const entries = new Map([...this.manifests.values()].map((bytes) => [digestOf(bytes), bytes]));
    return [...entries].flatMap(([digest, bytes]) => {
      const { mediaType, artifactType, subject } = JSON.parse(bytes.toString()) as Record<string, never>;
      const named = (subject as { digest?: string } | undefined)?.digest === root;
      return named ? [{ mediaType, digest, size: bytes.length, artifactType }] : [];
    });
  }

  private file(bytes: Buffer | undefined, { method, headers }: Asked, response: ServerResponse): void {
    if (!bytes) {
      response.writeHead(404).end();
      return;
    }
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
    const range = { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
    response.writeHead(from ? 206 : 200, {
      'content-length': bytes.length - from,
      ...(from ? range : {}),
    });
    response.end(method === 'HEAD' ? undefined : bytes.subarray(from));
  }

  private async put(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const bytes = Buffer.concat(parts);
    for (const key of [name, digestOf(bytes)]) this.manifests.set(key, bytes);
    const { subject } = JSON.parse(bytes.toString()) as { subject?: { digest: string } };
    response.writeHead(201, {
      'docker-content-digest': digestOf(bytes),
      ...(subject && this.lists ? { 'oci-subject': subject.digest } : {}),
    });
    response.end();
  }

  /** Keeps what came of a chunk whose connection died, as the specification would like it. */
  private async upload(asked: Asked, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = asked.path.split('?')[0]!.split('/')[2] ?? '';
    const before = this.uploads.get(id);
    const state = (name: string, count: number): Record<string, string> => ({
      location: `/v2/cases/one/blobs/uploads/${name}?state=a%2Bb%3D~`,
      range: `0-${Math.max(0, count - 1)}`,
    });
    if (asked.method === 'POST') {
      const name = `u${this.uploads.size}`;
      this.uploads.set(name, Buffer.alloc(0));
      response.writeHead(202, state(name, 0)).end();
    } else if (!before || !asked.url.includes('state=a%2Bb%3D~')) response.writeHead(404).end();
    else if (asked.method === 'GET') response.writeHead(204, state(id, before.length)).end();
    else if (asked.method === 'PATCH') {
      const from = Number(asked.headers['content-range']?.split('-')[0]);
      if (from !== before.length) return void response.writeHead(416).end();
      const parts = [before];
      try {
        for await (const part of request) parts.push(part as Buffer);
      } catch {
        // The connection died.
      }
      this.uploads.set(id, Buffer.concat(parts));
      response.writeHead(202, state(id, this.uploads.get(id)!.length)).end();
    } else {
      const digest = new URL(asked.url, 'http://x').searchParams.get('digest')!;
      this.uploads.delete(id);
      if (digestOf(before) !== digest) return void response.writeHead(400).end();
      this.blobs.set(digest, before);
      response.writeHead(201, { 'docker-content-digest': digest }).end();
    }
  }
}

/** A connection in front of a server that dies after so many bytes, as often as was said, and counts. */
export class BadConnection {
  port = 0;
  /** Bytes to the server and from it. */
  sent = 0;
  received = 0;
  private cuts: number[];

  /** `cuts`: after how many bytes, either way, each of the first connections dies. `delayMs`: before each piece. */
  constructor(cuts: number[]) {
    this.cuts = [...cuts];
  }

  get left(): number {
    return this.cuts.length;
  }

  async start(to: string, delayMs = 0): Promise<string> {
    const [host, port] = to.split(':');
    const sockets = new Set<Socket>();
    const server = createSocketServer((client) => {
      const upstream = connect(Number(port), host);
      let passed = 0;
      const pass = (from: Socket, onto: Socket, count: (n: number) => void): void => {
        sockets.add(from);
        const end = (): void => {
          client.destroy();
          upstream.destroy();
        };
        from.on('error', end).on('close', end);
        from.on('data', (bytes) => {
          count(bytes.length);
          passed += bytes.length;
          if (this.cuts[0] !== undefined && passed > this.cuts[0]) {
            this.cuts.shift();
            return end();
          }
          from.pause();
          onto.write(bytes, () => setTimeout(() => from.resume(), delayMs));
        });
      };
      pass(client, upstream, (n) => {
        this.sent += n;
      });
      pass(upstream, client, (n) => {
        this.received += n;
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
    servers.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return `127.0.0.1:${this.port}`;
  }
}
