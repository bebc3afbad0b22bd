/** What the commands say to do next, each in the situation in which it is said: nothing that cannot be done there, or would not help. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { reenact, tempFolder } from '../support/world.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const MANIFEST = {
  harness_version: '1',
  os: 'linux',
  sandbox_image_sha256: DIGEST,
  sandbox_image: '127.0.0.1:9/none',
  seed: 1,
  run_instructions: '/bin/true',
};

interface Situation {
  args: string[];
  env?: NodeJS.ProcessEnv;
  prepare?: (folder: string) => void;
  status: number;
  said: RegExp;
}

const SITUATIONS: Record<string, Situation> = {
  'no engine is there': {
    args: ['run', 'm.json'],
    env: { DOCKER_HOST: 'unix:///nowhere/docker.sock' },
    status: 3,
    said: /next: start the engine, or set DOCKER_HOST; reenact doctor explains/,
  },
  'capture of an image without a digest': {
    args: ['capture', '--image', 'debian:12', '--', 'true'],
    status: 64,
    said: /--image wants REPOSITORY@sha256:/,
  },
  'capture without a command': {
    args: ['capture', '--image', `a@${DIGEST}`],
    status: 64,
    said: /put the command after --/,
  },
  'a manifest with a field too many': {
    args: ['run', 'm.json', '--dry-run'],
    prepare: (folder) => writeFileSync(join(folder, 'm.json'), JSON.stringify({ ...MANIFEST, sede: 1 })),
    status: 64,
    said: /\$\.sede[\s\S]*next: fix the fields named; reenact schema manifest prints the format/,
  },
  'a root of JUnit that there is not': {
    args: ['run', 'm.json', '--junit-root', 'suite'],
    status: 64,
    said: /--junit-root is one of testsuites, testsuite, not "suite"/,
  },
  'a server that is down': {
    args: ['trace', 'gaps', 'abcdef', '--store', 'store'],
    env: { REENACT_DATABASE_URL: 'postgresql://me@127.0.0.1:9/store' },
    status: 3,
    said: /ECONNREFUSED[\s\S]*next: start the server, or see host and port in REENACT_DATABASE_URL/,
  },
  'an address of a server that is none': {
    args: ['trace', 'gaps', 'abcdef'],
    env: { REENACT_DATABASE_URL: 'mysql://localhost' },
    status: 64,
    said: /REENACT_DATABASE_URL is an address like postgresql:/,
  },
  'a store of an older PGlite': {
    args: ['trace', 'gaps', 'abcdef', '--store', 'store'],
    prepare: (folder) => {
      mkdirSync(join(folder, 'store/sql/data'), { recursive: true });
      writeFileSync(join(folder, 'store/sql/data/PG_VERSION'), '17\n');
    },
    status: 3,
    said: /made by PostgreSQL 17[\s\S]*next: export it, [\s\S]*npm install .* && node '[^']+export-older-store\.js'/,
  },
  'no store': {
    args: ['trace', 'gaps', 'abcdef', '--store', 'store'],
    status: 64,
    said: /there is no store in store[\s\S]*next: add it first: reenact trace add/,
  },
  'an image’s registry that is down': {
    args: ['artifact', 'add', `127.0.0.1:65099/none@${DIGEST}`, '--store', 'store'],
    status: 3,
    said: /ECONNREFUSED[\s\S]*next: start the registry, or name another repository/,
  },
};

it.each(Object.entries(SITUATIONS))('%s', { timeout: 60_000 }, async (_name, situation) => {
  const cwd = tempFolder();
  writeFileSync(join(cwd, 'm.json'), JSON.stringify(MANIFEST));
  situation.prepare?.(cwd);
  const { status, stdout, stderr } = await reenact(situation.args, { cwd, env: situation.env ?? {} });
  expect(`${stdout}${stderr}`).toMatch(situation.said);
  expect(status).toBe(situation.status);
});
