/** The replay manifest, version 1: its fields, their bounds, and the one definition behind parser and JSON Schema. */

import type { Digest } from '../base/digest.ts';
import { DEFAULTS } from '../base/limits.ts';
import {
  array,
  dictionary,
  digestText,
  field,
  integer,
  number,
  object,
  oneOf,
  type Shape,
  string,
} from '../base/shape.ts';
import { type ExpectedCrash, expectedCrashShape, signalShape } from './crash-signature.ts';

export const MAX_SEED: number = 2 ** 53 - 1;

/** A file the program reads: `source` beside the manifest, seen as /case/`path`. */
export interface ManifestInput {
  path: string;
  sha256: Digest;
  source: string;
}

export type Determinism = 'full' | 'off';

export interface Manifest {
  harness_version: '1';
  os: 'linux' | 'windows' | 'macos';
  kernel_version?: string;
  libc_version?: string;
  compiler?: string;
  compiler_flags?: string;
  build_id?: string;
  symbol_bundle_sha256?: Digest;
  dsse_envelope?: string;
  rekor_tile_ref?: string;
  sandbox_image_sha256: Digest;
  seed: number;
  run_instructions: string;
  verifier_version?: string;
  name?: string;
  sandbox_image?: string;
  inputs?: ManifestInput[];
  state?: { include?: string[]; exclude?: string[] };
  replays?: number;
  limits?: { cpus?: number; memory?: number; pids?: number; timeout?: number; output?: number };
  expect?: {
    final_state_sha256?: Digest;
    exit_code?: number;
    signal?: string;
    /** Which crash; where a child's is meant, the program may end in any way. */
    crash?: ExpectedCrash;
    /** The only processor the state holds on: captured where nothing but the processor answered cpuid. */
    processor?: string;
  };
  env?: Record<string, string>;
  user?: string;
  /** full: the seed decides everything the program can see (docs/determinism.md). */
  determinism?: Determinism;
  /** Seconds after 1970 at which the program's clock starts. */
  clock_start?: number;
  /** Whose turn it is: in the order in which the threads were made, which is the default, or at random by the seed, as run --seeds does. */
  schedule?: 'in_order' | 'chaos';
}

const digest = digestText('sha256: and 64 lower-case hex digits; a tag is no digest');

/** Segments without "." or ".." cannot leave their folder, a name with line breaks (which "." does not match) included. */
const relativePath = string({
  pattern: /^(?![\s\S]*(?:^|\/)\.{1,2}(?:\/|$))[^/\\]+(?:\/[^/\\]+)*$/,
  hint: 'a path inside the manifest’s folder: relative, no "..", no backslash',
  max: 1024,
});

const statePath = string({
  pattern: /^\/(?:[^/]+(?:\/[^/]+)*)?$/,
  hint: 'an absolute path; * matches within a folder, ** across folders',
  max: 1024,
});

/** What Docker accepts as a repository, without tag or digest. */
const repository = string({
  pattern: /^[a-z0-9]+(?:[._-][a-z0-9]+)*(?::[0-9]{1,5})?(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/,
  hint: 'a repository without tag or digest, such as registry.example.org/team/image',
  max: 255,
});

/** Covered by every signature, but read only by people. */
const informative = (description: string, example: string, max = 256): Shape<string> =>
  field(`${description}; it decides nothing`, string({ max }), { examples: [example] });

/** Compared with what is observed; records show where it does not match. */
const claimed = (description: string, observed: string, example: string): Shape<string> =>
  field(`${description}, compared with ${observed}; x stands for any number`, string({ max: 256 }), {
    examples: [example],
  });

const inputShape = object(
  {
    path: field('Where the program finds it, below /case', relativePath, { examples: ['request.bin'] }),
    sha256: field('SHA-256 of its content, checked before anything runs', digest),
    source: field('The file, relative to the manifest’s folder', relativePath, {
      examples: ['inputs/request.bin'],
    }),
  },
  ['path', 'sha256', 'source'],
);

const statePaths = (description: string, example: string): Shape<string[]> =>
  field(description, array(statePath, { max: 1000 }), { examples: [[example]] });

const stateShape = object(
  {
    include: statePaths('Only changes to these paths count; left out: to all', '/work/**'),
    exclude: statePaths('Changes to these paths do not count', '/work/*.log'),
  },
  [],
);

const limitsShape = object(
  {
    cpus: field('Processors it may use at once', number(0.01, 1024), { default: DEFAULTS.cpus }),
    memory: field('Bytes of memory; swap is off', integer(6 << 20, 2 ** 46), {
      default: DEFAULTS.memoryBytes,
    }),
    pids: field('Processes and threads, PID 1 included', integer(8, 65_536), { default: DEFAULTS.pids }),
    timeout: field('Seconds that the program has', number(0.1, 86_400), { default: DEFAULTS.timeoutS }),
    output: field('Bytes of stdout and stderr together', integer(0, 2 ** 40), {
      default: DEFAULTS.outputBytes,
    }),
  },
  [],
);

const expectShape = object(
  {
    final_state_sha256: field(
      'Digest of the final state: how it ended, what it printed, every path it changed (docs/final-state.md)',
      digest,
    ),
    exit_code: field('The exit status; not together with signal', integer(0, 255), { examples: [1] }),
    signal: field('The signal that ends it; not together with exit_code', signalShape, {
      examples: ['SIGSEGV'],
    }),
    crash: expectedCrashShape,
    processor: field(
      'The only processor the state holds on, where cpuid was not answered by the supervisor',
      string({ pattern: /^[\x20-\x7e]{1,128}$/, hint: 'as records name it, such as AMD family 25 model 17' }),
      { examples: ['AMD family 25 model 17'] },
    ),
  },
  [],
);

export const manifestShape: Shape<Manifest> = object(
  {
    harness_version: field('Version of this format', oneOf('1')),
    os: field('Operating system of the program; linux alone is replayed', oneOf('linux', 'windows', 'macos')),
    name: field(
      'What people call it, in reports; left out: the file’s name',
      string({ pattern: /^[^\u0000-\u001f\u007f]{1,128}$/, hint: 'one line of at most 128 characters' }),
      { examples: ['page server crash'] },
    ),
    sandbox_image: field(
      'Repository of the image, without tag or digest; left out: those of --repository and reenact.yaml',
      repository,
      { examples: ['registry.example.org/team/app'] },
    ),
    sandbox_image_sha256: field(
      'Digest of the image’s manifest, index or configuration: the file system that the program runs in',
      digest,
    ),
    run_instructions: field(
      'The command, split by a shell’s rules for words, with no shell: deterministic-run.sh --seed $seed -- COMMAND, or without COMMAND the image’s own; $seed is the only variable',
      string({
        pattern: /\S/,
        hint: 'the command to run, such as deterministic-run.sh --seed $seed',
      }),
      { examples: ['deterministic-run.sh --seed $seed -- app --once /case/request.bin'] },
    ),
    seed: field(
      'Decides all that the program sees by chance; also in its environment, as SEED',
      integer(0, MAX_SEED),
      {
        examples: [1],
      },
    ),
    inputs: field(
      'Files that the program reads, below /case, which is read-only',
      array(inputShape, { max: 10_000 }),
      { default: [] },
    ),
    env: field(
      'Environment variables, added to the image’s; SEED and HOSTNAME are the harness’s',
      dictionary(/^[A-Za-z_][A-Za-z0-9_]*$/, string()),
      { default: {}, examples: [{ LANG: 'C.UTF-8' }] },
    ),
    user: field(
      'Who runs it: UID or UID:GID, as numbers',
      string({
        pattern: /^(?:0|[1-9][0-9]{0,9})(?::(?:0|[1-9][0-9]{0,9}))?$/,
        hint: 'uid or uid:gid, as numbers',
      }),
      { default: DEFAULTS.user },
    ),
    limits: field('What a replay may use; past one of them it is inconclusive', limitsShape, { default: {} }),
    replays: field('How often it is replayed; run --replays has the last word', integer(1, 100_000), {
      default: DEFAULTS.replays,
    }),
    determinism: field(
      'full: the seed decides clock, random numbers, turns of threads and addresses (docs/determinism.md); off: it decides nothing by itself',
      oneOf('full', 'off'),
      { default: DEFAULTS.determinism },
    ),
    schedule: field(
      'Whose turn it is: in the order in which the threads were made, or by chance of the seed, as run --seeds has it',
      oneOf('in_order', 'chaos'),
      { default: 'in_order' },
    ),
    clock_start: field('Where the program’s clock starts, in seconds after 1970', integer(0, 4_102_444_800), {
      default: DEFAULTS.clockStartS,
    }),
    state: field('Which changed paths count for the final state', stateShape, { default: {} }),
    expect: field('How every replay must end; left out: as most of them do. capture writes it', expectShape),
    dsse_envelope: field(
      'Evidence about this manifest: dsse:sha256: and the digest of its file, as sign writes it',
      string({ pattern: /^dsse:.+$/, hint: 'dsse: and a reference', max: 4096 }),
    ),
    rekor_tile_ref: field(
      'The entry of a transparency log that must be proven: rekor:ORIGIN/INDEX@SIZE?root=SHA256 (docs/evidence.md)',
      string({ pattern: /^rekor:.+$/, hint: 'rekor: and a reference', max: 4096 }),
    ),
    symbol_bundle_sha256: field('Digest of the symbols of the program; evidence can be asked of it', digest),
    kernel_version: claimed('Kernel the incident ran on', 'the engine’s', '6.1.x'),
    libc_version: claimed('C library the incident ran on', 'the image’s', 'glibc 2.36'),
    compiler: claimed('Compiler of the program', 'what the program says', 'gcc 12.2'),
    compiler_flags: informative('What it was compiled with', '-O2 -g', 4096),
    build_id: informative('Build-id of the program', 'da2827926163c3e59663f4e2709dc9baab51e843'),
    verifier_version: informative('Version of the program that checked the evidence first', '0.2.0'),
  },
  ['harness_version', 'os', 'sandbox_image_sha256', 'seed', 'run_instructions'],
  'Reenact replay manifest, version 1',
);

/** The JSON Schema (2020-12) that editors use; the parser is made of the same definition. */
export function manifestSchema(): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Reenact replay manifest',
    ...manifestShape.schema(),
  };
}
