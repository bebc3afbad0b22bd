/** What the calls of one opened library share: engine, store, policy, the signal that ends them, who hears of events. */
import type { PatienceLimits, Waiting } from '../base/patience.ts';
import { loadPolicy, type Policy, parsePolicy } from '../policy/policy.ts';
import type { PolicyDocument } from '../policy/shape.ts';
import type { Engine } from '../sandbox/engine.ts';
import { connectEngine } from './engine.ts';
import type { ReenactEvent } from './events.ts';

/** A built-in policy's name (`default`, `forensic`), a policy file's path, a policy written in code, or a loaded one. */
export type PolicyInput = string | PolicyDocument | Policy;

/** What a library is opened with; every field may be left out. */
export interface OpenOptions {
  /** Default: the engine of DOCKER_HOST, else of the first well-known socket; connected to when a call first needs it. */
  engine?: Engine | undefined;
  /** The folder for states, records, traces and symbols, made when something is first kept. Default: `.reenact`. */
  store?: string | undefined;
  /** For every call that is not given one of its own. Default: `default` where gates are judged, and none elsewhere. */
  policy?: PolicyInput | undefined;
  /** Ends what is under way, in order: what was created on the engine is removed, then Fault `interrupted` is thrown. */
  signal?: AbortSignal | undefined;
  onEvent?: ((event: ReenactEvent) => void) | undefined;
  /** Other limits on waiting for engine, registries and database than PATIENCE, in milliseconds (docs/errors.md, Waiting). */
  limits?: PatienceLimits | undefined;
}

/** An opened library, as its calls see it. */
export class Session {
  readonly store: string;
  /** Undefined where the store is the default one. */
  readonly namedStore: string | undefined;
  readonly signal: AbortSignal;
  readonly tell: (event: ReenactEvent) => void;
  /** How registries and the store's database are waited for. */
  readonly waiting: Waiting & { signal: AbortSignal };
  private readonly own: PolicyInput | undefined;
  private connected: Promise<Engine> | undefined;

  constructor({ engine, store, policy, signal, onEvent, limits }: OpenOptions) {
    this.store = store ?? '.reenact';
    this.namedStore = store;
    this.signal = signal ?? new AbortController().signal;
    this.tell = (event) => onEvent?.(event);
    this.own = policy;
    const tell = (text: string): void => this.tell({ type: 'notice', text });
    this.waiting = { signal: this.signal, tell, limits };
    if (engine) this.connected = Promise.resolve(engine);
  }

  /** The engine, connected to once; a connection that failed is tried again by the next call. */
  async engine(): Promise<Engine> {
    this.connected ??= connectEngine({ tell: this.waiting.tell, limits: this.waiting.limits });
    try {
      return await this.connected;
    } catch (error) {
      this.connected = undefined;
      throw error;
    }
  }

  /** The policy of this call, else the one that was opened with, else none. */
  async policy(given: PolicyInput | undefined): Promise<Policy | undefined> {
    const input = given ?? this.own;
    if (input === undefined) return undefined;
    if (typeof input === 'string') return await loadPolicy(input);
    if ('canonical' in input) return input;
    return await parsePolicy(JSON.stringify(input), 'in-code', process.cwd());
  }

  /** The same, where something must be judged: by the built-in policy `default` where none was given. */
  async judge(given: PolicyInput | undefined): Promise<Policy> {
    return (await this.policy(given)) ?? (await loadPolicy('default'));
  }
}
