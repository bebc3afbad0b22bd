/** reenact bundle: create, verify and look into audit bundles. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { EXIT, Fault } from '../base/fault.ts';
import { LIMITS } from '../base/limits.ts';
import { ATTACHED_BYTES } from '../bundle/attached.ts';
import { type Collected, collect, type ImageOrigin, outOf, type StateContents } from '../bundle/collect.ts';
import { type BundleOptions, createBundle } from '../bundle/create.ts';
import { openBundle } from '../bundle/open.ts';
import { BUNDLE_CODES, Refused } from '../bundle/refused.ts';
import { safeLine } from '../report/human.ts';
import { gateText } from '../report/joined.ts';
import { cacheFolder } from '../sandbox/endpoint.ts';
import { BlobStore } from '../store/blobs.ts';
import type { JoinDocument } from '../trace/join-document.ts';
import { parseRecord } from '../verdict/parse.ts';
import { eventKey } from './bundle-custody.ts';
import { loadConfig } from './config.ts';
import { type Arguments, choice, parseOptions } from './options.ts';
import { abortOnSignals } from './signals.ts';
import { readNamed } from './verify.ts';

function one(a: Arguments, what: string): string {
  const [file, ...more] = a.positionals;
  if (file === undefined || more.length > 0) throw new Fault('usage', `name one ${what}`);
  return file;
}

/** What signs the bundle: no time of the clock, so that the same inputs give the same bytes on another day. */
async function attestedOf(a: Arguments): Promise<Pick<BundleOptions, 'sign' | 'timestamp'>> {
  const [key, reply] = [a.text('sign'), a.text('timestamp')];
  const claim = {
    action: 'exported' as const,
    actor: a.text('actor') ?? '',
    reason: a.text('reason') ?? '',
    time: null,
  };
  return {
    ...(key === undefined ? {} : { sign: { key: await eventKey(key), claim } }),
    ...(reply === undefined ? {} : { timestamp: await readNamed(reply, ATTACHED_BYTES) }),
  };
}

/** Everything about the record that is named. */
async function collectRecord(
  a: Arguments,
  state: StateContents,
  origin: ImageOrigin | undefined,
): Promise<Collected> {
  const given = one(a, 'record.json, or the folder it is in');
  const path = statSync(given, { throwIfNoEntry: false })?.isDirectory() ? join(given, 'record.json') : given;
  const out = a.text('store') ?? outOf(path);
  const record = parseRecord(await readNamed(path, LIMITS.documentBytes), path);
  return await collect(record, new BlobStore(out), out, state, origin);
}

/** What is said of a trace's frames when they are packed. */
function joinedText({ frames, gates, reproduction, trace_id }: JoinDocument): string {
  return `  trace    ${trace_id}, ${frames.length} frames, ${reproduction.verdict}\n${gates.map(gateText).join('')}`;
}

async function create(a: Arguments): Promise<number> {
  const target = a.text('out');
  if (target === undefined) throw new Fault('usage', 'name the bundle to write: --out FILE');
  if (existsSync(target)) throw new Fault('out_failed', `${target} is there already; nothing was written`);
  const state: StateContents = choice(a, 'state', ['full', 'changed', 'none'] as const) ?? 'full';
  const attested = await attestedOf(a);
  const { signal, release } = abortOnSignals();
  const origin: ImageOrigin | undefined = a.flag('with-image')
    ? {
        repositories: [...a.list('repository'), ...(await loadConfig()).repositories],
        cache: new BlobStore(join(cacheFolder(process.env), 'images')),
        signal,
      }
    : undefined;
  // The database of traces is loaded only where a trace is named.
  const collecting =
    a.text('trace') === undefined
      ? collectRecord(a, state, origin)
      : import('./bundle-trace.ts').then(({ collectTraced }) => collectTraced(a, state, origin));
  const collected = await collecting.finally(release);
  const root = await createBundle(target, collected, { state, ...attested });
  process.stdout.write(
    `${target}: ${collected.sources.length} items, ${statSync(target).size} bytes\n  identity ${root}\n${collected.join ? joinedText(collected.join) : ''}`,
  );
  return EXIT.ok;
}

async function list(a: Arguments): Promise<number> {
  const { document } = await openBundle(one(a, 'bundle'));
  if (a.flag('json')) process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  else
    for (const { role, sha256, size, name } of document.items)
      process.stdout.write(
        `${role.padEnd(16)}${String(size).padStart(12)} ${sha256}${name ? `  ${safeLine(name)}` : ''}\n`,
      );
  return EXIT.ok;
}

type Verb = (a: Arguments) => Promise<number>;

const VERBS: Record<string, Verb> = {
  create,
  verify: async (a) => (await import('./bundle-verify.ts')).verifyBundleCommand(one(a, 'bundle'), a),
  replay: async (a) => (await import('./bundle-replay.ts')).replayBundle(one(a, 'bundle'), a),
  ls: list,
  inspect: async (a) => (await import('./bundle-inspect.ts')).inspectCommand(one(a, 'bundle'), a),
  push: async (a) => (await import('./bundle-registry.ts')).pushCommand(a),
  pull: async (a) => (await import('./bundle-registry.ts')).pullCommand(a),
  redact: async (a) => (await import('./bundle-redact.ts')).redactCommand(one(a, 'bundle'), a),
  extract: async (a) => (await import('./bundle-extract.ts')).extractToFolder(one(a, 'bundle'), a),
  diff: async (a) => (await import('./bundle-diff.ts')).diffTwo(a),
  custody: async (a) => (await import('./bundle-custody.ts')).custodyCommand(a.positionals, a),
};

/** Runs one of the commands about bundles; a bundle that is refused ends it with its code and what to do. */
export async function bundleCommand(args: string[]): Promise<number> {
  const [verb = '', ...rest] = args;
  const run = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  if (!run) throw new Fault('usage', `bundle what? ${Object.keys(VERBS).join(', ')}`);
  try {
    return await run(parseOptions(`bundle ${verb}`, rest));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    process.stderr.write(
      `reenact: ${error.code}: ${safeLine(error.message)}\n  next: ${BUNDLE_CODES[error.code]}\n`,
    );
    return EXIT.rejected;
  }
}
