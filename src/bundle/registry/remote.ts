/** The registry to which a bundle is pushed or from which it is pulled: an unexpected answer ends the transfer, a lost connection does not. */

import { sleep } from '../../base/clock.ts';
import { Fault } from '../../base/fault.ts';
import { type Answer, readBounded } from '../../base/http.ts';
import { LIMITS } from '../../base/limits.ts';
import { Unanswered, type Waiting } from '../../base/patience.ts';
import { causeOf, messageOf } from '../../base/thrown.ts';
import { safe } from '../../report/human.ts';
import {
  type Credentials,
  RegistrySession,
  registryPatience,
  type Sending,
  splitRepository,
} from '../../sandbox/registry-session.ts';
import { Refused } from '../format/refused.ts';

/** The most bytes of an error message that are read, which is more than registries need. */
const ANSWER_BYTES = 65_536;
/** A lost connection does not count as a failure if at least so many bytes were transferred. */
const PROGRESS_BYTES = 1 << 20;

/** How often a lost transfer is tried again. */
export interface Retries {
  /** Failures in a row, with next to no progress between them. */
  tries: number;
  /** Before the second try; twice as long before each further one. */
  pauseMs: number;
}

const RETRIES: Retries = { tries: 6, pauseMs: 250 };
/** Silences in a row that end it: more would make the user wait for minutes. */
const MOST_SILENCES = 2;

/** How pushing and pulling are done. */
export interface Transfer extends Waiting {
  credentials?: Credentials | undefined;
  retries?: Retries;
  /** Called before each blob, for people. */
  onBlob?: (text: string) => void;
}

/** The connection was lost, or the registry is busy or silent: another try may help. */
export class Lost extends Error {
  get silent(): boolean {
    return this.cause instanceof Unanswered;
  }
}

export class Remote {
  readonly repository: string;
  readonly session: RegistrySession;
  private readonly retries: Retries;
  private readonly quietMs: number;
  private readonly signal: AbortSignal | undefined;

  constructor(repository: string, { credentials, retries = RETRIES, ...waiting }: Transfer) {
    this.repository = repository;
    const patience = registryPatience(splitRepository(repository).host, waiting);
    this.session = new RegistrySession(repository, patience, credentials);
    this.quietMs = patience.limits.tryQuietMs;
    this.signal = waiting.signal;
    this.retries = retries;
  }

  get host(): string {
    return this.session.host;
  }

  /** Tries a lost transfer again, until it fails too often in a row; `done` is how many bytes were transferred so far. */
  async patiently<T>(done: () => number, attempt: () => Promise<T>): Promise<T> {
    const { tries, pauseMs } = this.retries;
    let [failures, from, silences, heard] = [0, 0, 0, 0];
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof Lost)) throw error;
        if (done() - from >= PROGRESS_BYTES) [failures, from] = [0, done()];
        if (done() > heard) [silences, heard] = [0, done()];
        if (error.silent) silences++;
        if (++failures >= tries || silences >= MOST_SILENCES)
          throw new Fault('registry_unreachable', `${error.message}; tried ${failures} times`, error);
        await sleep(pauseMs * 2 ** (failures - 1), this.signal);
      }
    }
  }

  /** What failed in sending or reading, as what it is to us; an interruption is a Fault already. */
  lost(what: string, error: unknown): Error {
    if (error instanceof Fault || error instanceof Lost) return error;
    const cause = causeOf(error);
    if (cause instanceof Error && cause.name === 'NotReadableError')
      return new Refused('blob_digest', `the file was changed while it was pushed (${what})`);
    return new Lost(`${this.host}, ${what}: ${messageOf(cause)}`, { cause: error });
  }

  /** An answer of one of these statuses, its body still to be read. */
  async ask(what: string, url: URL, o: Sending, statuses: number[]): Promise<Answer> {
    let response: Answer;
    let said = '';
    try {
      response = await this.session.send(url, { quietMs: this.quietMs, ...o });
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
  async tell(what: string, url: URL, o: Sending, statuses: number[]): Promise<Answer> {
    const response = await this.ask(what, url, o, statuses);
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
        const limits = { totalMs: LIMITS.registryTimeoutMs };
        const response = await this.ask(what, url, { headers: { accept }, ...limits }, [200, 404]);
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

  /** The address at which the registry says to continue: it must be on the registry itself, since evidence and passwords must not be sent elsewhere. */
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
