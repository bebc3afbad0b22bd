/** --json of every command that has it: one array, or lines, or the old form; a fault is an object of it, and the exit status stays. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { collect } from '../../src/bundle/write/collect.ts';
import { createBundle } from '../../src/bundle/write/create.ts';
import { runCommandLine } from '../../src/cli/main.ts';
import { REGISTRY } from '../../src/cli/registry.ts';
import { JsonOutput } from '../../src/cli/shared/json.ts';
import { BlobStore } from '../../src/store/blobs.ts';
import { makeCase } from '../support/case.ts';
import { COMMANDS } from '../support/commands.ts';
import { layerOf } from '../support/fixture-image.ts';
import { envelope, makeKey } from '../support/keys.ts';
import { TestRegistry } from '../support/registry.ts';
import { attach, program, provenance, put, putImage } from '../support/shipped.ts';
import { elfOf } from '../support/symbols.ts';
import { tempFolder } from '../support/world.ts';

const folder = tempFolder();
const at = (name: string): string => join(folder, name);
const server = createServer((_, response) => response.writeHead(404).end());
const states: string[] = [];
let registry: TestRegistry;
let image: string;
let url: string;
let trace: string;

/** A command in this process: starting one for each of some 150 takes minutes. */
async function call(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      said[name] += String(text);
      return true;
    });
  try {
    return { status: await runCommandLine(args, REGISTRY), ...said };
  } finally {
    vi.restoreAllMocks();
  }
}

beforeAll(async () => {
  vi.stubEnv('REENACT_DATABASE_URL', '');
  vi.stubEnv('DOCKER_HOST', `unix://${at('no-engine.sock')}`);
  const key = makeKey();
  writeFileSync(at('team.pem'), key.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(at('team.pub'), key.publicKey.export({ type: 'spki', format: 'pem' }));
  await call('policy', 'init', '--key', at('team.pub'), '--out', at('policy.yaml'));
  const made = await makeCase(['a', 'b']);
  const collected = await collect(made.record, new BlobStore(made.out), made.out, 'full');
  await createBundle(at('case.tar'), collected, { state: 'full' });
  states.push(
    ...made.record.replays.map(({ final_state_sha256 }) => final_state_sha256!),
    '--store',
    made.out,
  );
  execFileSync('objcopy', ['--only-keep-debug', elfOf(folder, 'app'), at('app.debug')]);
  await call('sign', at('app.debug'), '--key', at('team.pem'));
  const manifest = { harness_version: '1', os: 'linux', seed: 1, run_instructions: 'true' };
  writeFileSync(
    at('m.json'),
    JSON.stringify({ ...manifest, sandbox_image_sha256: `sha256:${'02'.repeat(32)}` }),
  );
  const threads = [{ id: 1, crashed: true, frames: [{ image: 0, rel_addr: '0x10' }] }];
  const images = [{ path: '/opt/app', id: 'elf:00' }];
  writeFileSync(at('crash.json'), JSON.stringify({ reenact_trace: 1, signal: 'SIGSEGV', images, threads }));
  trace = (await call('trace', 'add', at('crash.json'), '--store', at('store'))).stdout.slice(7, 19);
  registry = await TestRegistry.start();
  const shipped = putImage(registry, [await layerOf([{ name: 'bin/app', content: program(1) }])]);
  const signed = envelope([key], provenance(shipped.manifest.digest));
  const media = 'application/vnd.dsse.envelope.v1+json';
  attach(registry, shipped.manifest, [put(registry, 'blobs', signed, media)]);
  image = `${registry.repository}@${shipped.manifest.digest}`;
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  vi.unstubAllEnvs();
  server.close();
});

interface Row {
  /** What the old form prints: one object, an array, or a line for each object. */
  old: 'one' | 'list' | 'lines';
  /** A simple case; undefined where it needs an engine, and the named file of tests has it. */
  good: (() => string[]) | `test/engine/${string}`;
  /** How many objects there are in it, and the exit status. */
  objects?: number;
  status?: number;
  bad: () => string[];
  code: string;
  badStatus: number;
}

const store = (): string[] => ['--store', at('store')];
const policy = (): string[] => ['--policy', at('policy.yaml')];
const noFile = { code: 'usage', badStatus: 64 };
const noRow = { bad: () => ['abcdef', ...store()], code: 'store_unknown', badStatus: 64 };
const noStore = {
  bad: () => ['--store', at('nowhere')],
  code: 'store_unknown',
  badStatus: 64,
};
const noBundle = { bad: () => [at('team.pub')], code: 'not_a_bundle', badStatus: 2 };

const ROWS: Record<string, Row> = {
  run: {
    ...{ old: 'list', good: () => [at('m.json'), '--dry-run'] },
    ...{ bad: () => [at('nowhere.json')], ...noFile },
  },
  diff: { old: 'list', good: () => states, status: 1, bad: () => [], ...noFile },
  'evidence verify': {
    old: 'one',
    good: () => [at('app.debug.dsse.json'), '--artifact', at('app.debug'), ...policy()],
    ...{ bad: () => [], ...noFile },
  },
  'bundle verify': { old: 'one', good: () => [at('case.tar')], bad: () => [], ...noFile },
  'bundle replay': { old: 'one', good: 'test/engine/mechanisms.test.ts', ...noBundle },
  'bundle show': { old: 'one', good: () => [at('case.tar')], bad: () => [], ...noFile },
  'bundle ls': { old: 'one', good: () => [at('case.tar')], ...noBundle },
  'bundle diff': {
    ...{ old: 'list', good: () => [at('case.tar'), at('case.tar')], objects: 0 },
    ...{ bad: () => [at('case.tar'), at('team.pub')], code: noBundle.code, badStatus: 2 },
  },
  'bundle custody log': { old: 'list', good: () => [at('case.tar')], objects: 0, ...noBundle },
  'artifact add': {
    ...{ old: 'one', good: () => [at('app'), ...store()] },
    ...{ bad: () => [at('nowhere'), ...store()], ...noFile },
  },
  'artifact fetch': {
    ...{ old: 'one', good: () => [image, ...policy(), ...store()] },
    ...{ bad: () => ['app:latest', ...policy(), ...store()], ...noFile },
  },
  'artifact ls': { old: 'list', good: store, objects: 2, ...noStore },
  'artifact show': { old: 'one', good: () => [at('app'), ...store()], ...noRow },
  'symbols id': {
    ...{ old: 'list', good: () => [at('app'), at('app.debug')], objects: 2 },
    ...{ bad: () => [at('app'), at('team.pub')], code: 'object_malformed', badStatus: 2 },
  },
  'symbols add': {
    old: 'lines',
    good: () => [at('app.debug'), '--evidence', at('app.debug.dsse.json'), ...policy(), ...store()],
    bad: () => [at('app'), '--evidence', at('app.debug.dsse.json'), ...policy(), ...store()],
    ...{ code: 'subject_missing', badStatus: 2 },
  },
  'symbols verify': {
    ...{ old: 'one', good: () => [at('app.debug'), ...policy()] },
    ...{ bad: () => [], ...noFile },
  },
  'symbols fetch': {
    old: 'lines',
    good: () => ['ab'.repeat(20), 'cd'.repeat(20), '--debuginfod', url, '--out', at('fetched')],
    ...{ objects: 2, status: 1 },
    ...{ bad: () => ['x', '--debuginfod', url, '--out', at('fetched')], ...noFile },
  },
  'symbols ls': { old: 'list', good: store, ...noStore },
  'symbols show': { old: 'one', good: () => [at('app.debug'), ...store()], ...noRow },
  'trace ls': { old: 'list', good: store, ...noStore },
  'trace show': {
    ...{ old: 'one', good: () => [at('crash.json')] },
    ...{ bad: () => [at('team.pub')], code: 'trace_invalid', badStatus: 64 },
  },
  'trace add': {
    ...{ old: 'lines', good: () => [at('crash.json'), ...store()] },
    ...{ bad: () => [at('team.pub'), ...store()], code: 'trace_invalid', badStatus: 64 },
  },
  'trace audit': {
    ...{ old: 'one', good: () => [trace, ...store()], status: 1 },
    ...{ bad: () => ['abcdef', ...store()], code: 'store_unknown', badStatus: 64 },
  },
  'trace gaps': {
    ...{ old: 'one', good: () => [trace, ...store()], status: 1 },
    ...{ bad: () => ['abcdef', ...store()], code: 'store_unknown', badStatus: 64 },
  },
  reproduce: {
    ...{ old: 'one', good: 'test/engine/reproduce.test.ts' },
    ...{ bad: () => ['abcdef', ...store()], code: 'store_unknown', badStatus: 64 },
  },
  doctor: { old: 'one', good: () => [], status: 3, bad: () => ['--without', 'x'], ...noFile },
};

const lines = (text: string): unknown[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

it('knows every command that has --json, and each has --jsonl', () => {
  const all = COMMANDS.filter(({ command }) => command.options.json);
  expect(Object.keys(ROWS).sort()).toEqual(all.map(({ name }) => name).sort());
  for (const { command } of all) {
    expect(command.options.json!.also).toEqual(['compat']);
    expect(command.options).toHaveProperty('jsonl');
  }
});

describe.each(Object.entries(ROWS))('%s', (name, row) => {
  const words = name.split(' ');

  it.skipIf(typeof row.good === 'string')('prints results', async () => {
    const args = (row.good as () => string[])();
    const [array, several, old] = [
      await call(...words, ...args, '--json'),
      await call(...words, ...args, '--jsonl'),
      await call(...words, ...args, '--json=compat'),
    ];
    const status = row.status ?? 0;
    expect(
      [array, several, old].map((done) => done.status),
      array.stdout + array.stderr,
    ).toEqual([status, status, status]);
    const results = JSON.parse(array.stdout) as unknown[];
    if (name !== 'diff') expect(results).toHaveLength(row.objects ?? 1);
    expect(array.stdout).toBe(`${JSON.stringify(results, null, 2)}\n`);
    expect(lines(several.stdout)).toHaveLength(results.length);
    if (row.old === 'lines') expect(lines(old.stdout)).toHaveLength(results.length);
    else expect(Array.isArray(JSON.parse(old.stdout))).toBe(row.old === 'list');
  });

  it('prints a fault', async () => {
    const args = row.bad();
    const people = await call(...words, ...args);
    expect(people.status, people.stderr).toBe(row.badStatus);
    const array = await call(...words, ...args, '--json');
    const several = await call(...words, ...args, '--jsonl');
    const old = await call(...words, ...args, '--json=compat');
    for (const { status, stderr } of [array, several, old])
      expect({ status, stderr }).toEqual({ status: row.badStatus, stderr: people.stderr });
    const fault = { code: row.code, message: expect.stringMatching(/./), next: expect.stringMatching(/./) };
    expect((JSON.parse(array.stdout) as unknown[]).at(-1)).toMatchObject(fault);
    expect(lines(several.stdout)).toEqual(JSON.parse(array.stdout));
    // What the old form has of it, such as files that are refused, is still that form.
    if (row.old === 'lines') lines(old.stdout);
    else if (old.stdout !== '') expect(Array.isArray(JSON.parse(old.stdout))).toBe(row.old === 'list');
  });
});

describe('a command line that cannot be read', () => {
  it.each<[string, string[], string]>([
    ['an option that there is not', ['trace', 'show', 'x', '--json', '--odd'], 'there is no option --odd'],
    ['a command that there is not', ['tracee', '--json'], 'there is no command "tracee"'],
    ['a noun alone', ['trace', '--json'], 'trace what?'],
    ['a form that there is not', ['trace', 'show', 'x', '--json=xml'], '--json=compat, not "--json=xml"'],
    ['a command without it', ['completion', 'bash', '--json'], 'there is no option --json'],
    ['the last form of several', ['trace', 'show', '--json=compat', '--json'], 'name one trace'],
  ])('is refused as JSON: %s', async (_name, args, message) => {
    const { status, stdout } = await call(...args);
    expect(JSON.parse(stdout)).toEqual([
      { code: 'usage', message: expect.stringContaining(message), next: expect.stringContaining('--help') },
    ]);
    expect(status).toBe(64);
  });

  it('is refused in words where --json stands for another program', async () => {
    expect(await call('capture', '--', 'app', '--json')).toMatchObject({ status: 64, stdout: '' });
  });
});

it('a bug is an object, too', async () => {
  const run = (): Promise<number> => Promise.reject(new TypeError('odd'));
  const options = { json: { kind: 'flag' as const, help: '' } };
  const load = () => Promise.resolve({ command: { usage: [], help: '', options, run } });
  const broken = { commands: [{ name: 'x', summary: '', load }], aliases: {} };
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const status = await runCommandLine(['x', '--json'], broken);
  const printed = write.mock.calls.map(([text]) => text).join('');
  vi.restoreAllMocks();
  expect(JSON.parse(printed)).toMatchObject([{ code: 'bug', message: 'odd' }]);
  expect(status).toBe(70);
});

it('an array that was closed stays as it is', () => {
  const printed: string[] = [];
  const json = new JsonOutput('array', (text) => printed.push(text));
  json.one({ a: 1 });
  json.end();
  json.next({ b: 2 });
  json.end();
  expect(JSON.parse(printed.join(''))).toEqual([{ a: 1 }]);
});
