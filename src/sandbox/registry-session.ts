/** Requests to one registry: tokens where it asks for them, redirected downloads, and credentials only for the registry itself. */

import { isIP } from 'node:net';
import { Fault } from '../base/fault.ts';
import { type Answer, ask, type Request, readBounded, serverPatience } from '../base/http.ts';
import { membersOf } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { itemAt, present } from '../base/list.ts';
import type { Patience, Waiting } from '../base/patience.ts';

const REDIRECTS = [301, 302, 303, 307, 308];
const MAX_REDIRECTS = 5;
const TOKEN_BYTES = 65_536;

/** Splits "host/path" as Docker does: without a host-like first part the hub is meant. */
export function splitRepository(repository: string): { host: string; path: string } {
  const [first = '', ...rest] = repository.split('/');
  if (rest.length > 0 && (/[.:]/.test(first) || first === 'localhost'))
    return { host: first, path: rest.join('/') };
  return { host: 'registry-1.docker.io', path: rest.length > 0 ? repository : `library/${repository}` };
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || (isIP(hostname) === 4 && hostname.startsWith('127.'));
}

/** Who pushes or pulls, where a registry wants to know. */
export interface Credentials {
  user: string;
  password: string;
}

/** The address of a registry's interface; plain HTTP only to this machine, as engines do. */
function addressOf(host: string): URL {
  const local = isLoopback(host.replace(/:\d+$/, ''));
  return new URL(`${local ? 'http' : 'https'}://${host}/v2/`);
}

/** The patience for one registry: whatever it answers at /v2/ is a sign of life. */
export function registryPatience(host: string, waiting: Waiting): Patience {
  return serverPatience('the registry', host, addressOf(host), waiting);
}

/** One request to a registry. */
export type Sending = Omit<Request, 'redirect'>;

/** A repository of a registry, and the credentials that it has accepted. */
export class RegistrySession {
  readonly host: string;
  private readonly base: URL;
  private readonly local: boolean;
  private readonly credentials: Credentials | undefined;
  private readonly patience: Patience;
  private authorization: string | undefined;

  constructor(repository: string, patience: Patience, credentials?: Credentials) {
    const { host, path } = splitRepository(repository);
    this.host = host;
    this.base = new URL(`${path}/`, addressOf(host));
    this.local = this.base.protocol === 'http:';
    this.patience = patience;
    this.credentials = credentials;
  }

  /** The address of something in the repository, such as "blobs/sha256:…". */
  url(path: string): URL {
    return new URL(path, this.base);
  }

  /** Sends a request; gets a token and sends it again where the registry asks for one; throws what `ask` throws. */
  async send(url: URL, o: Sending): Promise<Answer> {
    const response = await this.follow(url, o);
    // Only the registry itself is answered: a server to which it redirects could ask for the password as well.
    if (response.status !== 401 || new URL(response.url).origin !== this.base.origin) return response;
    const authorization = await this.answer(response.headers.get('www-authenticate') ?? '', o);
    if (authorization === undefined) return response;
    response.discard();
    this.authorization = authorization;
    return this.follow(url, o);
  }

  /** Downloads may lie elsewhere; uploads go to the registry itself, or nowhere. */
  private async follow(url: URL, o: Sending): Promise<Answer> {
    const { method = 'GET', headers } = o;
    let target = url;
    for (let hops = 0; ; hops++) {
      const own = target.origin === this.base.origin && this.authorization !== undefined;
      const request: Request = {
        ...o,
        headers: {
          // The bytes that are hashed and counted are those that the registry keeps, without a transfer coding.
          'accept-encoding': 'identity',
          ...headers,
          ...(own ? { authorization: this.authorization! } : {}),
        },
        redirect: 'manual',
      };
      const response = await ask(target, request, this.patience);
      const location = REDIRECTS.includes(response.status) ? response.headers.get('location') : null;
      if (location === null || (method !== 'GET' && method !== 'HEAD')) return response;
      response.discard();
      if (hops === MAX_REDIRECTS || !URL.canParse(location, target.href))
        throw new Fault('registry_mismatch', `${this.host} sends ${url.pathname} in circles`);
      target = new URL(location, target);
      if (!this.mayAsk(target))
        throw new Fault(
          'registry_mismatch',
          `${this.host} sends ${url.pathname} to ${target.origin}: only https is followed, and only a registry of this machine may name another address of it`,
        );
    }
  }

  private mayAsk(url: URL): boolean {
    return url.protocol === 'https:' || (url.protocol === 'http:' && this.local && isLoopback(url.hostname));
  }

  /** What a challenge asks for: the password itself, or a token that is fetched with or without it. */
  private async answer(challenge: string, { quietMs }: Sending): Promise<string | undefined> {
    const basic =
      this.credentials &&
      `Basic ${Buffer.from(`${this.credentials.user}:${this.credentials.password}`).toString('base64')}`;
    if (/^basic /i.test(challenge)) return basic;
    const parts = Object.fromEntries(
      [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map((m) => [itemAt(m, 1), itemAt(m, 2)]),
    );
    if (!/^bearer /i.test(challenge) || !URL.canParse(parts.realm ?? '')) return undefined;
    const url = new URL(present(parts.realm));
    if (!this.mayAsk(url)) return undefined;
    if (parts.service) url.searchParams.set('service', parts.service);
    if (parts.scope) url.searchParams.set('scope', parts.scope);
    const headers: Record<string, string> = basic ? { authorization: basic } : {};
    const limits = { totalMs: LIMITS.registryTimeoutMs, ...(quietMs === undefined ? {} : { quietMs }) };
    const response = await ask(url, { headers, redirect: 'error', ...limits }, this.patience);
    const bytes = await readBounded(response, TOKEN_BYTES);
    const token = response.ok && bytes ? tokenOf(bytes) : undefined;
    return token === undefined ? undefined : `Bearer ${token}`;
  }
}

function tokenOf(bytes: Buffer): string | undefined {
  try {
    const { token, access_token } = membersOf(JSON.parse(bytes.toString('utf8')));
    const found = token ?? access_token;
    return typeof found === 'string' && /^[\x21-\x7e]+$/.test(found) ? found : undefined;
  } catch {
    return undefined;
  }
}
