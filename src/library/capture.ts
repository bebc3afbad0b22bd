/** One run of a command becomes a manifest that expects the same final state. */

import { copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { type Digest, digestOf, isDigest } from '../base/digest.ts';
import { asFault, Fault } from '../base/fault.ts';
import { present } from '../base/list.ts';
import { becomesFile, checkOutput, writeOutput } from '../base/output.ts';
import type { Manifest } from '../manifest/definition.ts';
import { quoteWord } from '../manifest/instructions.ts';
import { parseManifest } from '../manifest/parse.ts';
import { tiedTo } from '../verdict/machine.ts';
import type { ReplayRecord } from '../verdict/record.ts';
import { expectationOf, signReplays, tellsWhere } from '../verdict/same-crash.ts';
import { type ReplayOptions, run } from './run.ts';
import type { Session } from './session.ts';

/** The command that is run, and in what; all but the first two fields may be left out. */
export interface CaptureOptions extends Pick<ReplayOptions, 'without'> {
  /** The sandbox image, as `REPOSITORY@sha256:…`: a tag can change. */
  image: string;
  /** The program and its arguments; no shell is between. */
  command: readonly string[];
  /** Files that the program finds in /case, by their names. */
  inputs?: readonly string[] | undefined;
  env?: Readonly<Record<string, string>> | undefined;
  /** What people call it. */
  name?: string | undefined;
  /** `uid:gid`. */
  user?: string | undefined;
  /** In seconds. */
  timeout?: number | undefined;
  /** Default: 1. */
  seed?: number | undefined;
  schedule?: Manifest['schedule'] | undefined;
  /** Where the manifest is written; its folder gets the inputs that lie elsewhere. Default: nowhere. */
  out?: string | undefined;
  /** Whether a file at `out` is replaced. Default: no. */
  force?: boolean | undefined;
}

/** The record of the one run; its manifest, which expects the same ending, is null where none came of it. */
export interface Captured {
  manifest: Manifest | null;
  record: ReplayRecord;
  /** Whether a crash came of it by which the manifest tells it from others. */
  expectsCrash: boolean;
}

function parseImage(text: string): { repository: string; digest: Digest } {
  const [repository = '', digest = ''] = text.split('@');
  if (!repository || !isDigest(digest))
    throw new Fault(
      'usage',
      `--image wants REPOSITORY@sha256:… ("${text}" has no digest); a tag can change, so it is not accepted`,
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

function draft(o: CaptureOptions, folder: string): Manifest {
  const { repository, digest } = parseImage(o.image);
  const { name, user, timeout, schedule, env = {}, seed = 1 } = o;
  const inputs = (o.inputs ?? []).map((file) => placeInput(file, folder));
  return {
    harness_version: '1',
    os: 'linux',
    sandbox_image_sha256: digest,
    seed,
    run_instructions: ['deterministic-run.sh', '--seed', '$seed', '--', ...o.command.map(quoteWord)].join(
      ' ',
    ),
    sandbox_image: repository,
    ...(name === undefined ? {} : { name }),
    ...(inputs.length > 0 ? { inputs } : {}),
    ...(Object.keys(env).length > 0 ? { env } : {}),
    ...(user === undefined ? {} : { user }),
    ...(timeout === undefined ? {} : { limits: { timeout } }),
    ...(schedule ? { schedule } : {}),
  };
}

/** Runs the draft once in a run folder of its own: a capture never resumes or replaces another run. */
async function runOnce(
  session: Session,
  manifest: Manifest,
  folder: string,
  without: readonly string[] | undefined,
): Promise<ReplayRecord> {
  const parsed = parseManifest(Buffer.from(JSON.stringify(manifest)));
  if (!parsed.ok)
    throw new Fault(
      'usage',
      parsed.problems.map((p) => `${p.path} ${p.message}${p.hint ? ` (${p.hint})` : ''}`).join('\n'),
    );
  const loaded = { ...parsed.value, path: '(capture)', folder, name: 'capture' };
  const [record] = await run(session, loaded, { policy: 'default', jobs: 1, replays: 1, without });
  return present(record);
}

/** Runs the command once and gives the manifest that expects its final state, ending and crash again. */
export async function capture(session: Session, o: CaptureOptions): Promise<Captured> {
  const { out } = o;
  const replaces = o.force ? 'any' : 'nothing';
  if (out !== undefined) checkOutput(out, replaces);
  const folder = out !== undefined && becomesFile(out) ? dirname(resolve(out)) : process.cwd();
  mkdirSync(folder, { recursive: true });
  const drafted = draft(o, folder);
  const record = await runOnce(session, drafted, folder, o.without);
  const [replay] = record.replays;
  if (record.verdict !== 'reproduced' || !replay?.final_state_sha256)
    return { manifest: null, record, expectsCrash: false };
  const tied = tiedTo(record.environment);
  const [crash] = [...signReplays([replay]).values()].flatMap(({ crashes }) => crashes);
  const expect = {
    final_state_sha256: replay.final_state_sha256,
    ...(replay.signal !== null ? { signal: replay.signal } : { exit_code: replay.exit_code! }),
    ...(crash ? { crash: expectationOf(crash) } : {}),
    ...(tied === null ? {} : { processor: tied }),
  };
  const manifest = { ...drafted, expect };
  if (out !== undefined) await writeOutput(out, `${JSON.stringify(manifest, null, 2)}\n`, replaces);
  return { manifest, record, expectsCrash: crash !== undefined && tellsWhere(crash) };
}
