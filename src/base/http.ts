/** The only door to HTTP: servers may be hostile, silent or slow, and every wait for one has an end. */
import { systemClock } from './clock.ts';
import { Fault } from './fault.ts';
import { Patience, Unanswered, type Waiting } from './patience.ts';

/** Of `what` that is asked, the address with one slash at its end: https, or http to this very machine; else a Fault (usage). */
export function secureUrl(text: string, what: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const loopback = url && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (
    !url ||
    !(url.protocol === 'https:' || (url.protocol === 'http:' && loopback)) ||
    url.search ||
    url.hash
  )
    throw new Fault(
      'usage',
      `${what} has an https address (or http on this machine), not "${text.slice(0, 200)}"`,
    );
  return new URL(`${url.href.replace(/\/*$/, '')}/`);
}

/** One request; its body can be sent again. */
export interface Request {
  method?: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT';
  headers?: Record<string, string>;
  body?: Blob | string;
  redirect: 'manual' | 'error';
  /** Of silence, in milliseconds: before the answer begins, and within it where that is less than for all transfers. */
  quietMs?: number;
  /** For all of it, in milliseconds: for documents, whose size is small. Bodies without it may come as slowly as they like. */
  totalMs?: number;
}

/** What came: its body is read once, or discarded. */
export interface Answer {
  status: number;
  ok: boolean;
  headers: Headers;
  /** Where it came from. */
  url: string;
  body: AsyncIterable<Uint8Array>;
  discard(): void;
}

/** What of a body goes at once, and says by going that it is taken. */
const SENT_BYTES = 262_144;

/** A body whose every piece that goes is heard: a slow way up is no silence. */
function sent(body: Blob | string, heard: () => void): RequestInit & { duplex?: 'half' } {
  if (typeof body === 'string') return { body };
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    // A blob in memory comes in one piece, however large.
    for await (const piece of body.stream())
      for (let at = 0; at < piece.length; at += SENT_BYTES) {
        heard();
        yield piece.subarray(at, at + SENT_BYTES);
      }
  };
  return { body: ReadableStream.from(pieces()) as ReadableStream<Uint8Array>, duplex: 'half' };
}

function headersOf({ headers, body }: Request): Record<string, string> {
  // Registries refuse a body of unknown length, which a stream has.
  return body instanceof Blob ? { ...headers, 'content-length': String(body.size) } : { ...headers };
}

/** Sends a request, and waits for its answer as `patience` has it. Throws what fetch throws, and what Patience does. */
export async function ask(url: URL, request: Request, patience: Patience): Promise<Answer> {
  const { method = 'GET', body, redirect, quietMs, totalMs } = request;
  const { limits } = patience;
  const exchange = new AbortController();
  const stop = (): void => exchange.abort();
  const what = `answer ${method} ${url.pathname}`;
  const wait = { what, ...(quietMs === undefined ? {} : { quietMs }) };
  const until = totalMs === undefined ? undefined : systemClock.monotonicMs() + totalMs;
  const init = { method, redirect, headers: headersOf(request), signal: exchange.signal };
  let response: Response;
  try {
    response = await patience.wait(wait, ({ heard }) =>
      fetch(url, { ...init, ...(body === undefined ? {} : sent(body, heard)) }),
    );
  } catch (error) {
    stop();
    throw error;
  }
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    const within = {
      what: `go on with its answer to ${method} ${url.pathname}`,
      quietMs: Math.min(quietMs ?? limits.quietMs, limits.quietMs),
    };
    if (!response.body) return;
    for await (const piece of patience.follow<Uint8Array>(response.body, within, stop)) {
      if (until !== undefined && systemClock.monotonicMs() > until)
        throw new Unanswered(`it has not sent the whole answer in ${totalMs! / 1000} s`);
      yield piece;
    }
  };
  const { status, ok, headers } = response;
  return { status, ok, headers, url: response.url, body: pieces(), discard: stop };
}

/** The patience for one server: whatever it answers at this address of it is a sign of life. */
export function serverPatience(name: string, address: string, url: URL, waiting: Waiting): Patience {
  const ping = async (signal: AbortSignal): Promise<void> => {
    const once = new Patience({ name, address }, { ...waiting, signal, tell: undefined });
    (await ask(url, { redirect: 'manual' }, once)).discard();
  };
  return new Patience({ name, address, ping }, waiting);
}

/** The whole body, or undefined as soon as it is over the limit: a server may never stop sending. */
export async function readBounded(answer: Answer, maxBytes: number): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const part of answer.body) {
    sizeBytes += part.length;
    if (sizeBytes > maxBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}
