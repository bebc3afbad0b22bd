/** reenact capture: one run of a command becomes a manifest that expects the same final state. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';

import { type Digest, digestOf, isDigest } from '../base/digest.ts';
import { asFault, EXIT, Fault } from '../base/fault.ts';
import { becomesFile, writeOutput } from '../base/output.ts';
import { connectEngine } from '../library/engine.ts';
import { MAX_SEED, type Manifest } from '../manifest/definition.ts';
import { quoteWord } from '../manifest/instructions.ts';
import { parseManifest } from '../manifest/parse.ts';
import { loadPolicy } from '../policy/policy.ts';
import { runManifests } from '../reenact.ts';
import { processText, signatureText } from '../report/crash.ts';
import { safeLine } from '../report/human.ts';
import type { Crash } from '../sandbox/crash.ts';
import { cacheFolder } from '../sandbox/endpoint.ts';
import type { Mechanism } from '../sandbox/mechanisms.ts';
import { holdsOnly, tiedTo } from '../verdict/machine.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import type { ReplayResult } from '../verdict/replay-result.ts';
import { expectationOf, signReplays, tellsWhere } from '../verdict/same-crash.ts';
import { type Arguments, choice, parseOptions } from './options.ts';
import { abortOnSignals } from './signals.ts';
import { withoutFrom } from './without.ts';

/** Splits at "--": what follows is the command, whatever it looks like. */
function splitCommand(args: string[]): { own: string[]; command: string[] } {
  const at = args.indexOf('--');
  if (at < 0 || at === args.length - 1)
    throw new Fault(
      'usage',
      'put the command after --, as in reenact capture … -- app --once /case/request.bin',
    );
  return { own: args.slice(0, at), command: args.slice(at + 1) };
}

function parseImage(text: string | undefined): { repository: string; digest: Digest } {
  const [repository = '', digest = ''] = (text ?? '').split('@');
  if (!repository || !isDigest(digest))
    throw new Fault(
      'usage',
      `--image wants REPOSITORY@sha256:… ("${text ?? ''}" has no digest); a tag can change, so it is not accepted`,
    );
  return { repository, digest };
}

/** A file inside the manifest's folder is named where it is; any other is copied to inputs/ beside the manifest. */
function placeInput(file: string, folder: string): { path: string; sha256: Digest; source: string } {
  try {
    const real = realpathSync(file);
    const inside = relative(realpathSync(folder), real);
    const name = basename(file);
    const sha256 = digestOf(readFileSync(real));
    if (!inside.startsWith(`..${sep}`) && !inside.startsWith(sep))
      return { path: name, sha256, source: inside.split(sep).join('/') };
    const copy = join(folder, 'inputs', name);
    if (existsSync(copy) && digestOf(readFileSync(copy)) !== sha256)
      throw new Fault('usage', `${copy} is there already, with other content: rename --input ${file}`);
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(real, copy);
    return { path: name, sha256, source: `inputs/${name}` };
  } catch (error) {
    throw asFault('usage', `--input ${file} cannot be read`, error);
  }
}

function draft(a: Arguments, command: string[], folder: string): Manifest {
  const { repository, digest } = parseImage(a.text('image'));
  const env = a.list('env').map((one) => {
    const at = one.indexOf('=');
    if (at < 1) throw new Fault('usage', `--env wants NAME=VALUE, not "${one}"`);
    return [one.slice(0, at), one.slice(at + 1)] as const;
  });
  const inputs = a.list('input').map((file) => placeInput(file, folder));
  const name = a.text('name');
  const user = a.text('user');
  const timeout = a.text('timeout');
  const schedule = choice(a, 'schedule', ['in_order', 'chaos'] as const);
  return {
    harness_version: '1',
    os: 'linux',
    sandbox_image_sha256: digest,
    seed: a.number('seed', 0, MAX_SEED, 1),
    run_instructions: ['deterministic-run.sh', '--seed', '$seed', '--', ...command.map(quoteWord)].join(' '),
    sandbox_image: repository,
    ...(name === undefined ? {} : { name }),
    ...(inputs.length > 0 ? { inputs } : {}),
    ...(env.length > 0 ? { env: Object.fromEntries(env) } : {}),
    ...(user === undefined ? {} : { user }),
    ...(timeout === undefined ? {} : { limits: { timeout: Number(timeout) } }),
    ...(schedule ? { schedule } : {}),
  };
}

/** Runs the draft once in a run folder of its own: a capture never resumes or replaces another run. */
async function runOnce(
  manifest: Manifest,
  folder: string,
  store: string,
  without: Mechanism[],
): Promise<ReplayRecord> {
  const parsed = parseManifest(Buffer.from(JSON.stringify(manifest)));
  if (!parsed.ok)
    throw new Fault(
      'usage',
      parsed.problems.map((p) => `${p.path} ${p.message}${p.hint ? ` (${p.hint})` : ''}`).join('\n'),
    );
  const engine = await connectEngine();
  const { signal, release } = abortOnSignals();
  try {
    const [record] = await runManifests(engine, {
      manifests: [{ ...parsed.value, path: '(capture)', folder, name: 'capture' }],
      policy: await loadPolicy('default'),
      out: store,
      imageCache: join(cacheFolder(process.env), 'images'),
      repositories: [],
      determinism: { without },
      jobs: 1,
      replays: 1,
      signal,
    });
    return record!;
  } finally {
    release();
  }
}

/** Which crash it was, by the signature that the manifest expects; then those of other processes, which it does not name. */
function crashLines({ crash, other_crashes }: ReplayResult): string[] {
  const others = other_crashes?.crashes ?? [];
  const more = other_crashes?.left_out ?? 0;
  const text = (one: Crash): string => `${one.signal} ${signatureText(one)}`;
  return [
    ...(crash ? [`  crash     ${text(crash)}`] : []),
    ...others.map((one) => `  crash     ${text(one)}, of ${processText(one)}`),
    ...(more > 0 ? [`  and ${more} more crashes of other processes`] : []),
  ].map(safeLine);
}

export async function captureCommand(args: string[]): Promise<number> {
  const { own, command } = splitCommand(args);
  const a = parseOptions('capture', own);
  if (a.positionals.length > 0)
    throw new Fault('usage', `"${a.positionals[0]}" stands before --; the command comes after it`);
  const out = a.text('out') ?? 'crash.json';
  const folder = becomesFile(out) ? dirname(resolve(out)) : process.cwd();
  mkdirSync(folder, { recursive: true });
  const manifest = draft(a, command, folder);
  const record = await runOnce(manifest, folder, a.text('store') ?? '.reenact', withoutFrom(a));
  const [replay] = record.replays;
  if (record.verdict !== 'reproduced' || !replay?.final_state_sha256) {
    process.stderr.write(`reenact: nothing was captured: ${record.reason} ${record.message}\n`);
    return record.verdict === 'rejected' ? EXIT.rejected : EXIT.inconclusive;
  }
  const tied = tiedTo(record.environment);
  const only = holdsOnly(record.environment);
  const [crash] = [...signReplays([replay]).values()].flatMap(({ crashes }) => crashes);
  manifest.expect = {
    final_state_sha256: replay.final_state_sha256,
    ...(replay.signal !== null ? { signal: replay.signal } : { exit_code: replay.exit_code! }),
    ...(crash ? { crash: expectationOf(crash) } : {}),
    ...(tied === null ? {} : { processor: tied }),
  };
  await writeOutput(out, `${JSON.stringify(manifest, null, 2)}\n`);
  const ended = replay.signal !== null ? `signal ${replay.signal}` : `exit ${replay.exit_code}`;
  (becomesFile(out) ? process.stdout : process.stderr).write(
    [
      `captured ${ended} in ${replay.duration_ms} ms`,
      ...crashLines(replay),
      ...(crash && !tellsWhere(crash)
        ? ['  no signature is expected: nothing known of its stack tells it from others']
        : []),
      `  state     ${replay.final_state_sha256}`,
      `  manifest  ${out}`,
      ...(only.length > 0 ? [`  holds only ${only.join('; ')}`] : []),
      '',
    ].join('\n'),
  );
  return EXIT.ok;
}
