/** The options of every command, by its words, in one table: parsing and shell completion are both made of it. */
import { parseArgs } from 'node:util';

import { Fault } from '../base/fault.ts';

type Kind = 'string' | 'list' | 'boolean';

/** What every command that makes sandboxes knows of a host that lacks something. */
const SANDBOXES = { 'allow-degraded': 'boolean', without: 'list' } as const;

/** Where the programs of a core are read from. */
const PROGRAMS = { exec: 'list', sysroot: 'string' } as const;

export const OPTIONS: Record<string, Record<string, Kind>> = {
  init: {},
  capture: {
    image: 'string',
    input: 'list',
    out: 'string',
    name: 'string',
    seed: 'string',
    schedule: 'string',
    env: 'list',
    user: 'string',
    timeout: 'string',
    store: 'string',
    ...SANDBOXES,
  },
  run: {
    replays: 'string',
    jobs: 'string',
    policy: 'string',
    out: 'string',
    repository: 'list',
    json: 'boolean',
    junit: 'string',
    'junit-root': 'string',
    events: 'string',
    progress: 'string',
    'fail-fast': 'boolean',
    shard: 'string',
    'capture-with': 'string',
    determinism: 'string',
    ...SANDBOXES,
    seeds: 'string',
    vary: 'boolean',
    core: 'boolean',
    explain: 'boolean',
    'dry-run': 'boolean',
    'require-evidence': 'boolean',
    evidence: 'list',
    bundle: 'string',
    'with-image': 'boolean',
  },
  verify: {
    policy: 'string',
    subject: 'list',
    artifact: 'string',
    manifest: 'string',
    reference: 'string',
    json: 'boolean',
  },
  policy: {
    key: 'string',
    alg: 'string',
    artifact: 'string',
    'trust-root': 'string',
    unverified: 'boolean',
    out: 'string',
  },
  manifest: {},
  sign: { key: 'string', alg: 'string', out: 'string', provenance: 'string' },
  attest: { key: 'string', alg: 'string', out: 'string' },
  bundle: {},
  'bundle create': {
    out: 'string',
    state: 'string',
    trace: 'string',
    policy: 'string',
    store: 'string',
    'with-image': 'boolean',
    repository: 'list',
    sign: 'string',
    actor: 'string',
    reason: 'string',
    timestamp: 'string',
  },
  'bundle verify': {
    policy: 'string',
    'trust-root': 'string',
    receipt: 'list',
    certificate: 'string',
    json: 'boolean',
  },
  'bundle replay': {
    replays: 'string',
    jobs: 'string',
    'trust-harness': 'list',
    ...SANDBOXES,
    json: 'boolean',
  },
  'bundle ls': { json: 'boolean' },
  'bundle inspect': { json: 'boolean' },
  'bundle extract': { to: 'string', only: 'list', force: 'boolean' },
  'bundle diff': { json: 'boolean' },
  'bundle push': {},
  'bundle pull': { out: 'string' },
  'bundle redact': {
    drop: 'list',
    reason: 'string',
    actor: 'string',
    key: 'string',
    secret: 'string',
    out: 'string',
  },
  'bundle custody': {
    key: 'string',
    action: 'string',
    actor: 'string',
    reason: 'string',
    timestamp: 'string',
    receipt: 'list',
    out: 'string',
    json: 'boolean',
  },
  artifact: {},
  'artifact add': { evidence: 'list', policy: 'string', store: 'string', name: 'string', json: 'boolean' },
  'artifact fetch': { policy: 'string', store: 'string', name: 'string', json: 'boolean' },
  symbols: {},
  'symbols id': { json: 'boolean' },
  'symbols fetch': { debuginfod: 'string', out: 'string', json: 'boolean' },
  'symbols add': { evidence: 'list', policy: 'string', store: 'string', json: 'boolean' },
  trace: {},
  'trace show': { all: 'boolean', json: 'boolean', ...PROGRAMS },
  'trace add': { ...PROGRAMS, manifest: 'string', store: 'string', json: 'boolean' },
  'trace audit': { policy: 'string', store: 'string', json: 'boolean' },
  'trace gaps': { policy: 'string', store: 'string', json: 'boolean' },
  reproduce: {
    manifest: 'string',
    policy: 'string',
    replays: 'string',
    jobs: 'string',
    repository: 'list',
    evidence: 'list',
    ...SANDBOXES,
    store: 'string',
    json: 'boolean',
  },
  gate: { policy: 'string', evidence: 'list', json: 'boolean' },
  evidence: { log: 'string', policy: 'string', store: 'string' },
  diff: { json: 'boolean', store: 'string' },
  schema: {},
  doctor: { ...SANDBOXES, json: 'boolean' },
  completion: {},
};

export interface Arguments {
  positionals: string[];
  /** The option's text, or undefined. */
  text(name: string): string | undefined;
  list(name: string): string[];
  flag(name: string): boolean;
  /** A whole number within bounds, or the default. */
  number(name: string, min: number, max: number, otherwise: number): number;
}

/** Parses one command's arguments; anything unknown is a usage Fault. */
export function parseOptions(command: string, args: string[]): Arguments {
  const table = OPTIONS[command]!;
  const options = Object.fromEntries(
    Object.entries(table).map(([name, kind]) => [
      name,
      {
        type: kind === 'boolean' ? ('boolean' as const) : ('string' as const),
        multiple: kind === 'list',
        ...(name === 'out' ? { short: 'o' } : {}),
      },
    ]),
  );
  let values: Record<string, unknown>;
  let positionals: string[];
  try {
    ({ values, positionals } = parseArgs({ args, options, allowPositionals: true, strict: true }) as {
      values: Record<string, unknown>;
      positionals: string[];
    });
  } catch (error) {
    throw new Fault('usage', `${(error as Error).message.split('. ')[0]}; see reenact ${command} --help`);
  }
  const text = (name: string): string | undefined => values[name] as string | undefined;
  return {
    positionals,
    text,
    list: (name) => (values[name] as string[] | undefined) ?? [],
    flag: (name) => values[name] === true,
    number(name, min, max, otherwise) {
      const given = text(name);
      if (given === undefined) return otherwise;
      const value = Number(given);
      if (!/^\d+$/.test(given) || value < min || value > max)
        throw new Fault('usage', `--${name} wants a whole number from ${min} to ${max}, not "${given}"`);
      return value;
    },
  };
}

/** One of a closed list of words, or undefined. */
export function choice<T extends string>(a: Arguments, name: string, values: readonly T[]): T | undefined {
  const given = a.text(name);
  if (given !== undefined && !values.includes(given as T))
    throw new Fault('usage', `--${name} is one of ${values.join(', ')}, not "${given}"`);
  return given as T | undefined;
}
