/** npm run demo:trace: two programs built, shipped, crashed; each frame tied to a signed build, the crash reproduced, and all of it packed. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { type Digest, hexOf } from '../src/base/digest.ts';
import { BlobStore } from '../src/store/blobs.ts';
import { makeKey, type Run, reenact } from './demo-steps.ts';
import { type BuiltImage, pushImage, tarOf } from './image.ts';
import { ensureSandbox } from './sandbox.ts';
import { say } from './say.ts';

interface Program {
  name: string;
  source: string;
  /** The recipe of the sandbox that has its compiler. */
  sandbox: string;
  /** Leaves /work/app.debug, with all names. */
  build: string;
  compiler: string;
  flags: string;
}

const PROGRAMS: Program[] = [
  {
    name: 'parser',
    source: 'crash.cpp',
    sandbox: 'debian12-build',
    compiler: 'g++ (Debian 12)',
    flags: '-g -O2 -static-pie -Wl,--build-id=sha1 -ffile-prefix-map=/case=.',
    build:
      'g++ -g -O2 -static-pie -Wl,--build-id=sha1 -ffile-prefix-map=/case=. -o app.debug /case/crash.cpp',
  },
  {
    name: 'owners',
    source: 'crash.go',
    sandbox: 'debian12-runtimes',
    compiler: 'go1.19 (Debian 12)',
    flags: '-trimpath -ldflags="-B ID"',
    build:
      'export HOME=/tmp GOCACHE=/tmp/cache GOFLAGS=-trimpath; cp /case/crash.go /tmp && cd /tmp && go build -ldflags "-B 0x$(sha1sum crash.go | cut -c1-40)" -o /work/app.debug crash.go',
  },
];

interface Stage {
  folder: string;
  registry: string;
  run: Run;
  env: Record<string, string>;
}

/** Copies what a build left in /work out of the state that was captured. */
function takeOut(folder: string, manifest: string, names: string[]): void {
  const blobs = new BlobStore(join(folder, '.reenact'));
  const { expect } = JSON.parse(readFileSync(join(folder, manifest), 'utf8')) as {
    expect: { final_state_sha256: Digest };
  };
  const { files } = JSON.parse(readFileSync(blobs.path(expect.final_state_sha256), 'utf8')) as {
    files: { path: string; sha256: Digest }[];
  };
  for (const name of names)
    copyFileSync(blobs.path(files.find(({ path }) => path === `/work/${name}`)!.sha256), join(folder, name));
}

/** What the builder knows of a build, as SLSA provenance v1 has it. */
function provenance({ source, compiler, flags }: Program, sandbox: string, commit: string): unknown {
  return {
    buildDefinition: {
      buildType: 'https://reenact.example/sandboxed-build/v1',
      externalParameters: { source },
      internalParameters: { compiler, compiler_flags: flags, sandbox },
      resolvedDependencies: [
        { uri: `git+https://example.org/demo#${source}`, digest: { gitCommit: commit } },
      ],
    },
    runDetails: { builder: { id: 'https://builder.example/sandbox' } },
  };
}

/** Runs the steps in turn; the first that ends otherwise than expected is the answer. */
async function expecting(run: Run, steps: [number, ...string[]][]): Promise<boolean> {
  for (const [expected, ...args] of steps) {
    const status = await run(...args);
    if (status === expected) continue;
    process.stdout.write(`\nUnexpected: exit status ${status}, ${expected} was expected\n`);
    return false;
  }
  return true;
}

/** Builds the program in its sandbox and ships it in an image that holds nothing else; signs what the builder knows. */
async function ship(root: string, stage: Stage, program: Program): Promise<BuiltImage | undefined> {
  const { folder, registry, run } = stage;
  const sandbox = await ensureSandbox(root, program.sandbox, registry);
  const image = `${sandbox.repository}@${sandbox.manifest}`;
  copyFileSync(join(root, 'fixtures/demo', program.source), join(folder, program.source));
  say(`${program.name}: built from ${program.source} in the sandbox ${program.sandbox}, stripped`);
  const out = ['--out', 'build.json', '--timeout', '600'];
  const built = [
    'capture',
    '--image',
    image,
    '--input',
    program.source,
    ...out,
    '--',
    'sh',
    '-c',
    program.build,
  ];
  if (!(await expecting(run, [[0, ...built]]))) return undefined;
  takeOut(folder, 'build.json', ['app.debug']);
  // What is shipped is the very code that the symbols are of, without their names.
  const [whole, stripped] = [join(folder, 'app.debug'), join(folder, 'app')];
  execFileSync('llvm-objcopy-19', ['--strip-all', whole, stripped]);
  const shipped = await pushImage(
    registry,
    `reenact-demo-${program.name}`,
    [await tarOf(`opt/${program.name}/app`, readFileSync(join(folder, 'app')))],
    {},
  );
  const commit = hexOf(shipped.config).slice(0, 40);
  writeFileSync(join(folder, 'provenance.json'), JSON.stringify(provenance(program, image, commit), null, 2));
  const reply = await fetch(
    `http://${shipped.repository.replace('/', '/v2/')}/manifests/${shipped.manifest}`,
    {
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    },
  );
  writeFileSync(join(folder, 'image.json'), Buffer.from(await reply.arrayBuffer()));
  const by = ['--key', 'team.pem', '--provenance', 'provenance.json'];
  const signed = await expecting(run, [
    [0, 'sign', 'image.json', ...by, '--out', 'image.dsse.json'],
    [0, 'sign', 'app.debug', ...by, '--out', 'app.debug.dsse.json'],
  ]);
  return signed ? shipped : undefined;
}

/** Where the team's key counts: there is no log in this demo, so a signer is all that a join can bear. */
const POLICY = `version: 1
gates: { join_completeness: 0.95, chain_of_custody: signed }
authorities:
  - { id: team, key: { path: team.pub }, transparency: none }
`;

/** What reenact prints as JSON, for the next command. */
function said(root: string, folder: string, env: Record<string, string>, args: string[]): string {
  const options = {
    cwd: folder,
    env: { ...process.env, ...env },
    encoding: 'utf8' as const,
    maxBuffer: 1 << 26,
  };
  return execFileSync(process.execPath, [join(root, 'bin/reenact.js'), ...args], options);
}

/** The crash as it happens in production: signed for, recorded, and its stack put into the store. Returns the trace's id. */
async function crash(
  root: string,
  stage: Stage,
  program: Program,
  image: string,
): Promise<string | undefined> {
  const { folder, run, env } = stage;
  say(`${program.name}: it crashes, and the crash is captured`);
  const named = ['--out', 'crash.json', '--name', `${program.name} crashes`];
  const captured = await expecting(run, [
    [0, 'capture', '--image', image, ...named, '--', `/opt/${program.name}/app`],
    [0, 'sign', 'crash.json', '--key', 'team.pem'],
  ]);
  if (!captured) return undefined;
  const policy = ['--policy', 'policy.yaml'];
  writeFileSync(
    join(folder, 'record.json'),
    said(root, folder, env, [
      'run',
      'crash.json',
      ...policy,
      '--replays',
      '1',
      '--jsonl',
      '--progress',
      'none',
    ]),
  );
  if (!(await expecting(run, [[0, 'trace', 'add', 'record.json']]))) return undefined;
  const added = said(root, folder, env, ['trace', 'add', 'record.json', '--json']);
  const [{ trace_id }] = JSON.parse(added) as [{ trace_id: string }];
  return trace_id.slice(7, 19);
}

/** From the crash to the bundle. */
async function follow(root: string, stage: Stage, program: Program): Promise<boolean> {
  const { run } = stage;
  const shipped = await ship(root, stage, program);
  if (!shipped) return false;
  const image = `${shipped.repository}@${shipped.manifest}`;
  const trace = await crash(root, stage, program, image);
  if (!trace) return false;
  say(`${program.name}: nothing joins the stack to a build yet, and the store says what is missing`);
  if (!(await expecting(run, [[1, 'trace', 'gaps', trace]]))) return false;
  say(`${program.name}: the image and the symbols are added, each with what the builder signed of it`);
  const policy = ['--policy', 'policy.yaml'];
  const bundle = `${program.name}.tar`;
  return await expecting(run, [
    [0, 'artifact', 'add', image, '--evidence', 'image.dsse.json', ...policy],
    [0, 'symbols', 'add', 'app.debug', '--evidence', 'app.debug.dsse.json', ...policy],
    [0, 'trace', 'audit', trace, ...policy],
    [0, 'reproduce', trace, ...policy, '--replays', '3'],
    [
      0,
      'bundle',
      'create',
      '--trace',
      trace,
      ...policy,
      '--sign',
      'team.pem',
      '--actor',
      'the team',
      '--reason',
      'for the incident',
      '-o',
      bundle,
    ],
    [0, 'bundle', 'verify', bundle, ...policy],
  ]);
}

export async function demoTrace(root: string, env: Record<string, string>): Promise<number> {
  const whole = join(root, '.reenact', 'demo-trace');
  rmSync(whole, { recursive: true, force: true });
  for (const program of PROGRAMS) {
    const folder = join(whole, program.name);
    mkdirSync(folder, { recursive: true });
    makeKey(folder);
    writeFileSync(join(folder, 'policy.yaml'), POLICY);
    say(`everything about ${program.name} is in ${folder}, signed with a key made for this demo`);
    const run: Run = (...args) => reenact(root, folder, env, args);
    const stage: Stage = { folder, registry: env.REENACT_REGISTRY!, run, env };
    if (!(await follow(root, stage, program))) return 1;
  }
  process.stdout.write(
    `\nAs it should be: both crashes are joined, frame by frame, to symbols, images and\nsigned builds, were reproduced, and are packed in bundles that verify.\nnpm run setup:stop ends the services.\n`,
  );
  return 0;
}
