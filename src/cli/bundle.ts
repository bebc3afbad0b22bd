/** reenact bundle: create, verify and look into audit bundles. */
import { EXIT, Fault } from '../base/fault.ts';
import { Refused } from '../bundle/format/refused.ts';
import { openBundle } from '../bundle/read/open.ts';
import type { JoinDocument } from '../join/document.ts';
import type { BundleSource, CreateBundleOptions } from '../library/bundle-create.ts';
import { safeLine } from '../report/human.ts';
import { gateText } from '../report/joined.ts';
import { loadConfig } from './config.ts';
import { withReenact } from './door.ts';
import { type Arguments, choice, parseOptions } from './options.ts';

function one(a: Arguments, what: string): string {
  const [file, ...more] = a.positionals;
  if (file === undefined || more.length > 0) throw new Fault('usage', `name one ${what}`);
  return file;
}

/** What is said of a trace's frames when they are packed. */
function joinedText({ frames, gates, reproduction, trace_id }: JoinDocument): string {
  return `  trace    ${trace_id}, ${frames.length} frames, ${reproduction.verdict}\n${gates.map(gateText).join('')}`;
}

/** The record of the one argument, or the trace of --trace. */
function sourceOf(a: Arguments): BundleSource {
  const trace = a.text('trace');
  if (trace === undefined) return one(a, 'record.json, or the folder it is in');
  if (a.positionals.length > 0)
    throw new Fault('usage', 'name a record, or a trace with --trace, and not both');
  return { trace };
}

async function create(a: Arguments): Promise<number> {
  const target = a.text('out');
  if (target === undefined) throw new Fault('usage', 'name the bundle to write: --out FILE');
  const key = a.text('sign');
  const options: CreateBundleOptions = {
    state: choice(a, 'state', ['full', 'changed', 'none'] as const),
    policy: a.text('policy'),
    timestamp: a.text('timestamp'),
    ...(key === undefined ? {} : { sign: { key, actor: a.text('actor'), reason: a.text('reason') } }),
    ...(a.flag('with-image')
      ? {
          withImage: true,
          repositories: [...a.list('repository'), ...(await loadConfig()).repositories],
        }
      : {}),
  };
  const { items, sizeBytes, root, join } = await withReenact({ store: a.text('store') }, (reenact) =>
    reenact.createBundle(target, sourceOf(a), options),
  );
  process.stdout.write(
    `${target}: ${items} items, ${sizeBytes} bytes\n  identity ${root}\n${join ? joinedText(join) : ''}`,
  );
  return EXIT.ok;
}

async function list(a: Arguments): Promise<number> {
  const { document, problems } = await openBundle(one(a, 'bundle'));
  if (a.flag('json')) process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  else
    for (const { role, sha256, size, name } of document.items)
      process.stdout.write(
        `${role.padEnd(16)}${String(size).padStart(12)} ${sha256}${name ? `  ${safeLine(name)}` : ''}\n`,
      );
  const [problem] = problems;
  if (problem) throw new Refused(problem.code, problem.message);
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

/** Runs one of the commands about bundles. */
export async function bundleCommand(args: string[]): Promise<number> {
  const [verb = '', ...rest] = args;
  const run = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  if (!run) throw new Fault('usage', `bundle what? ${Object.keys(VERBS).join(', ')}`);
  return await run(parseOptions(`bundle ${verb}`, rest));
}
