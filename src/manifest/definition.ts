/** The replay manifest, version 1: its fields, their bounds, and the one definition behind parser and JSON Schema. */

import type { Digest } from '../base/digest.ts';
import { DIGEST_PATTERN } from '../base/digest.ts';
import { array, dictionary, integer, number, object, oneOf, type Shape, string } from '../base/shape.ts';
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
  /** Whose turn it is: in the order of the threads' making, which is usual, or by chance of the seed, as run --seeds has it. */
  schedule?: 'in_order' | 'chaos';
}

const digest = string({
  pattern: DIGEST_PATTERN,
  hint: 'sha256: and 64 lower-case hex digits; a tag is no digest',
});

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

export const manifestShape: Shape = object(
  {
    harness_version: oneOf('1'),
    os: oneOf('linux', 'windows', 'macos'),
    kernel_version: string({ max: 256, description: 'Kernel the incident ran on; x stands for any number' }),
    libc_version: string({ max: 256 }),
    compiler: string({ max: 256 }),
    compiler_flags: string({ max: 4096 }),
    build_id: string({ max: 256 }),
    symbol_bundle_sha256: digest,
    dsse_envelope: string({ pattern: /^dsse:.+$/, hint: 'dsse: and a reference', max: 4096 }),
    rekor_tile_ref: string({ pattern: /^rekor:.+$/, hint: 'rekor: and a reference', max: 4096 }),
    sandbox_image_sha256: digest,
    seed: integer(0, MAX_SEED),
    run_instructions: string({
      pattern: /\S/,
      hint: 'the command to run, such as deterministic-run.sh --seed $seed',
    }),
    verifier_version: string({ max: 256 }),
    name: string({ pattern: /^[^\u0000-\u001f\u007f]{1,128}$/, hint: 'one line of at most 128 characters' }),
    sandbox_image: repository,
    inputs: array(
      object({ path: relativePath, sha256: digest, source: relativePath }, ['path', 'sha256', 'source']),
      { max: 10_000 },
    ),
    state: object({ include: array(statePath, { max: 1000 }), exclude: array(statePath, { max: 1000 }) }, []),
    replays: integer(1, 100_000),
    limits: object(
      {
        cpus: number(0.01, 1024, 'CPUs'),
        memory: integer(6 << 20, 2 ** 46, 'Bytes; swap is off'),
        pids: integer(8, 65_536, 'Processes and threads, PID 1 included'),
        timeout: number(0.1, 86_400, 'Seconds'),
        output: integer(0, 2 ** 40, 'Bytes of stdout and stderr together'),
      },
      [],
    ),
    expect: object(
      {
        final_state_sha256: digest,
        exit_code: integer(0, 255),
        signal: signalShape,
        crash: expectedCrashShape,
        processor: string({
          pattern: /^[\x20-\x7e]{1,128}$/,
          hint: 'as records name it, such as AMD family 25 model 17',
          description:
            'The only processor the state holds on, where cpuid was not answered by the supervisor',
        }),
      },
      [],
    ),
    env: dictionary(/^[A-Za-z_][A-Za-z0-9_]*$/, string()),
    user: string({
      pattern: /^(?:0|[1-9][0-9]{0,9})(?::(?:0|[1-9][0-9]{0,9}))?$/,
      hint: 'uid or uid:gid, as numbers',
    }),
    determinism: oneOf('full', 'off'),
    clock_start: integer(0, 4_102_444_800, 'Seconds after 1970'),
    schedule: oneOf('in_order', 'chaos'),
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
