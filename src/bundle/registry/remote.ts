/** The registry a bundle goes to or comes from: answers that were not expected end it, connections that die do not. */
import { sleep } from '../../base/clock.ts';
import { Fault } from '../../base/fault.ts';
import { readBounded } from '../../base/http.ts';
import { LIMITS } from '../../base/limits.ts';
import { safe } from '../../report/human.ts';
import { type Credentials, RegistrySession, type Sending } from '../../sandbox/registry-session.ts';
import { Refused } from '../format/refused.ts';

/** What the registry says about an error, and more than it ever has to. */
const ANSWER_BYTES = 65_536;
/** So much must have got through for a connection that died to be no failure. */
const PROGRESS_BYTES = 1 << 20;

/** How long a registry is waited for. */
export interface Patience {
  /** Failures in a row, with nothing to speak of in between. */
  tries: number;
  /** Before the second try; twice as long before each further one. */
  pauseMs: number;
  /** For a document, and for the next bytes of a blob. */
  quietMs: number;
}

const PATIENCE: Patience = { tries: 6, pauseMs: 250, quietMs: LIMITS.registryTimeoutMs };

/** How pushing and pulling are done. */
export interface Transfer {
  credentials?: Credentials | undefined;
  signal: AbortSignal;
  patience?: Patience;
  /** Told before each blob, for people. */
  onBlob?: (text: string) => void;
}

/** The connection died, or the registry has no time: worth another try. */
export class Lost extends Error {}

/** An answer whose body has been read, or does not matter. */
export interface Answer {
  status: number;
  headers: Headers;
}

export class Remote {
  readonly repository: string;
  readonly patience: Patience;
  readonly session: RegistrySession;
  private readonly signal: AbortSignal;

  constructor(repository: string, { credentials, signal, patience = PATIENCE }: Transfer) {
    this.repository = repository;
    this.session = new RegistrySession(repository, credentials);
    this.signal = signal;
    this.patience = patience;
  }

  get host(): string {
    return this.session.host;
  }

  /** Tries again what was lost, until it fails too often in a row; `done` is how many bytes got through so far. */
  async patiently<T>(done: () => number, attempt: () => Promise<T>): Promise<T> {
    const { tries, pauseMs } = this.patience;
    let [failures, from] = [0, 0];
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof Lost)) throw error;
        if (done() - from >= PROGRESS_BYTES) [failures, from] = [0, done()];
        if (++failures >= tries)
          throw new Fault('registry_unreachable', `${error.message}; tried ${tries} times`, error);
        await sleep(pauseMs * 2 ** (failures - 1), this.signal);
      }
    }
  }

  /** What failed in sending or reading, as what it is to us; an interruption is a Fault already. */
  lost(what: string, error: unknown): Error {
    if (error instanceof Fault || error instanceof Lost) return error;
    const { cause } = error as Error;
    const { name, message } = cause instanceof Error ? cause : (error as Error);
    if (name === 'NotReadableError')
      return new Refused('blob_digest', `the file was changed while it was pushed (${what})`);
    return new Lost(`${this.host}, ${what}: ${message}`);
  }

  /** An answer of one of these statuses, its body still to be read; `timeout` is for head and body together. */
  async ask(
    what: string,
    url: URL,
    o: Omit<Sending, 'signal'> & { timeout: AbortSignal },
    statuses: number[],
  ): Promise<Response> {
    const { timeout, ...sending } = o;
    let response: Response;
    let said = '';
    try {
      response = await this.session.send(url, {
        ...sending,
        signal: AbortSignal.any([this.signal, timeout]),
      });
      if (statuses.includes(response.status)) return response;
      const text = (await readBounded(response, ANSWER_BYTES))?.toString('latin1') ?? '';
      said = /"code"\s*:\s*"([A-Z_]{1,40})"/.exec(text)?.[1] ?? '';
    } catch (error) {
      throw this.lost(what, error);
    }
    const { status } = response;
    const message = `${this.host}, ${what}: HTTP ${status}${said && `, ${said}`}`;
    if (status === 401 || status === 403) throw new Fault('registry_denied', message);
    if (status === 408 || status === 429 || status >= 500) throw new Lost(message);
    throw new Fault('registry_unreachable', message);
  }

  /** As `ask`, where only status and headers count. */
  async tell(
    what: string,
    url: URL,
    o: Omit<Sending, 'signal'>,
    statuses: number[],
    timeoutMs: number = LIMITS.registryChunkTimeoutMs,
  ): Promise<Answer> {
    const response = await this.ask(what, url, { ...o, timeout: AbortSignal.timeout(timeoutMs) }, statuses);
    try {
      await readBounded(response, ANSWER_BYTES);
    } catch (error) {
      throw this.lost(what, error);
    }
    return response;
  }

  /** A document, bounded, with the headers it came with; undefined where there is none. */
  document(url: URL, accept: string): Promise<{ bytes: Buffer; headers: Headers } | undefined> {
    const what = url.pathname;
    return this.patiently(
      () => 0,
      async () => {
        const timeout = AbortSignal.timeout(this.patience.quietMs);
        const response = await this.ask(what, url, { headers: { accept }, timeout }, [200, 404]);
        let bytes: Buffer | undefined;
        try {
          bytes = await readBounded(response, LIMITS.imageDocumentBytes);
        } catch (error) {
          throw this.lost(what, error);
        }
        if (response.status === 404) return undefined;
        if (bytes) return { bytes, headers: response.headers };
        throw new Fault(
          'registry_mismatch',
          `${this.host}, ${what}: the answer is over ${LIMITS.imageDocumentBytes} bytes`,
        );
      },
    );
  }

  /** Where the registry says to go on: on itself, for evidence and passwords must not be sent where it likes. */
  place(location: string | null, from: URL): URL {
    const url = location !== null && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
    if (url?.origin !== from.origin || url.username !== '' || url.password !== '')
      throw new Fault(
        'registry_mismatch',
        `${this.host} says to go on at ${safe(location ?? 'no address').slice(0, 200)}, which is not on it`,
      );
    return url;
  }
}
