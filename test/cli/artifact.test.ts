/** reenact artifact add and fetch as a person uses them: what is kept, what is proven of it, and what is refused. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';

import { type Digest, digestOf } from '../../src/base/digest.ts';
import type { AddedArtifact } from '../../src/report/artifact.ts';
import { layerOf } from '../support/fixture-image.ts';
import { envelope, makeKey } from '../support/keys.ts';
import { TestRegistry } from '../support/registry.ts';
import { attach, debOf, program, provenance, put, putImage } from '../support/shipped.ts';
import { IDENTITY, TestSigstore } from '../support/sigstore.ts';
import { anyPlace, describeStores, openStore, type StorePlace } from '../support/stores.ts';
import { describeEngine, reenact, tempFolder, world } from '../support/world.ts';

const cwd = tempFolder();
const key = makeKey();
const DSSE = 'application/vnd.dsse.envelope.v1+json';
const SIGSTORE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const policy = ['--policy', 'policy.yaml'];
let store: StorePlace;

const signed = (...subjects: Digest[]): object => envelope([key], provenance(...subjects));
const write = (name: string, content: unknown): void =>
  writeFileSync(join(cwd, name), Buffer.isBuffer(content) ? content : JSON.stringify(content));
const run = (...args: string[]): ReturnType<typeof reenact> =>
  reenact(['artifact', ...args, '--store', store.folder], {
    cwd,
    env: { REENACT_DATABASE_URL: store.url ?? '' },
  });

/** A package that no other test has. */
async function ship(name: string): Promise<Digest> {
  const bytes = await debOf({ './usr/bin/app': program(1), './usr/bin/other': program(2), './name': name });
  write(name, bytes);
  return digestOf(bytes);
}

beforeAll(async () => {
  store = await anyPlace();
  writeFileSync(join(cwd, 'team.pub'), key.publicKey.export({ type: 'spki', format: 'pem' }));
  const made = await reenact(['policy', 'init', '--key', 'team.pub', '--out', 'policy.yaml'], { cwd });
  expect(made.status).toBe(0);
  write('app', program(1));
  write('other.json', signed(digestOf('other')));
});

it('a package is kept, and nothing is proven of it before there is evidence, each part by who says it', async () => {
  const deb = await ship('app.deb');
  const begin =
    `demo_1:2.0-3_amd64: a Debian package\n  digest     ${deb}\n` +
    '  holds      2 programs and libraries, 2 of them with an id of the linker\n';
  const bare = await run('add', 'app.deb');
  expect(bare).toEqual({
    status: 0,
    stderr: '',
    stdout: `${begin}  proven     nothing: no evidence was given\n`,
  });
  write('app.json', signed(deb));
  const proven = await run('add', 'app.deb', '--evidence', 'app.json', ...policy);
  expect(proven.status).toBe(0);
  expect(proven.stdout).toContain(
    `${begin}  proven     of this very digest, by dsse:${digestOf(readFileSync(join(cwd, 'app.json')))}\n` +
      '  builder    https://example.org/builder (says the statement)\n' +
      `  commit     ${'c0'.repeat(20)} (says the statement)\n` +
      '  compiler   gcc 12.2.0 (says the statement)\n' +
      '  flags      -O2 -g (says the statement)\n' +
      '  signer     team-key, key sha256:',
  );
  expect(proven.stdout).toContain('time       none but the signer’s own\n  log entry  none is proven\n');
  // What is known stays known.
  expect(await run('add', 'app.deb')).toMatchObject({ status: 0, stdout: proven.stdout });
});

it.each([
  ['about another digest', ['other.json'], 'subject_missing'],
  ['about other things only', ['other.json', 'team.pub'], 'evidence_missing'],
  ['by a stranger', ['stranger.json'], 'signature_invalid'],
])('evidence %s is refused and kept as refused, and so is the artifact', async (name, files, code) => {
  const deb = await ship(`${name}.deb`);
  write('stranger.json', envelope([makeKey()], provenance(deb)));
  const evidence = files.flatMap((file) => ['--evidence', file]);
  const { status, stdout } = await run('add', `${name}.deb`, ...evidence, ...policy);
  expect(status).toBe(2);
  expect(stdout).toContain(`evidence about ${deb}: ${code}: `);
  expect(stdout).toContain('proven     nothing: what was given is refused\n');
  const json = await run('add', `${name}.deb`, '--json');
  expect(JSON.parse(json.stdout)).toMatchObject([{ sha256: deb, programs: 2, evidence: [] }]);
});

it('a folder of evidence is sorted by what each file is about', async () => {
  const deb = await ship('sorted.deb');
  mkdirSync(join(cwd, 'evidence'));
  for (const [n, subject] of [deb, digestOf('x'), digestOf('y')].entries())
    write(`evidence/${n}.json`, signed(subject));
  write('evidence/notes.txt', 'no evidence');
  const { status, stdout } = await run('add', 'sorted.deb', '--evidence', 'evidence', ...policy, '--json');
  expect(status).toBe(0);
  const [{ evidence }] = JSON.parse(stdout) as [AddedArtifact];
  expect(evidence.map(({ record }) => record.envelopes.map(({ file }) => file))).toEqual([
    ['evidence/0.json'],
  ]);
});

it('a keyless bundle gives its identity, the time and the log entry', async () => {
  const deb = await ship('keyless.deb');
  const sigstore = new TestSigstore();
  write('root.json', sigstore.trustedRoot());
  write('keyless.sigstore.json', sigstore.bundle({ payload: provenance(deb) }));
  write('keyless.json', {
    version: 1,
    trust: { root: 'root.json' },
    authorities: [{ id: 'ci', keyless: IDENTITY, transparency: 'required' }],
  });
  const evidence = ['--evidence', 'keyless.sigstore.json', '--policy', 'keyless.json'];
  const { status, stdout } = await run('add', 'keyless.deb', ...evidence);
  expect(stdout).toContain(`signer     ci: ${IDENTITY.subject}, issuer ${IDENTITY.issuer}\n`);
  expect(stdout).toMatch(/time {7}\d{4}-\d\d-\d\dT/);
  expect(stdout).toMatch(/log entry {2}rekor:/);
  expect(status).toBe(0);
});

it.each<[string, string[], string]>([
  ['nothing', ['add'], 'name one thing'],
  ['two things', ['add', 'app', 'other.json'], 'name one thing'],
  ['a file that is not there', ['add', 'nowhere'], 'nowhere cannot be read'],
  ['an image by its tag', ['fetch', '127.0.0.1:1/a/b:latest', ...policy], 'name the image by its digest'],
  ['evidence without a policy', ['add', 'app', '--evidence', 'other.json'], 'name a policy'],
  ['a policy without evidence', ['add', 'app', ...policy], 'a policy judges evidence'],
  [
    'a policy that trusts no signer',
    ['add', 'app', '--evidence', 'other.json', '--policy', 'default'],
    'names no authority',
  ],
  ['no command', ['remove'], 'there is no command "artifact remove"'],
])('%s is a mistake in the call', async (_name, args, message) => {
  const { status, stderr } = await run(...args);
  expect(stderr).toContain(message);
  expect(status).toBe(64);
});

it('a damaged package is refused and not kept, and no path in it reaches the terminal as it is', async () => {
  await ship('good.deb');
  write('bad.deb', readFileSync(join(cwd, 'good.deb')).subarray(0, 300));
  const refused = await run('add', 'bad.deb');
  expect(refused).toMatchObject({ status: 2, stdout: '' });
  expect(refused.stderr).toContain('next: take it from where it was shipped');
  write('odd.deb', await debOf({ '\u001b[2Jx\ny': Buffer.from('\x7fELF') }));
  const { stdout } = await run('add', 'odd.deb', '--name', 'a\u001bb');
  expect(stdout).toContain('a\\u001bb: a Debian package\n');
  expect(stdout).toContain('/\\u001b[2Jx\\u000ay: ');
});

describeStores('artifact add', (newPlace) => {
  it('two commands at once keep both, and each thing in them once', async () => {
    const one = await newPlace();
    await ship('both.deb');
    const o = { cwd, env: { REENACT_DATABASE_URL: one.url ?? '' } };
    const args = ['--store', one.folder, '--json'];
    const both = await Promise.all(
      ['both.deb', 'app'].map((file) => reenact(['artifact', 'add', file, ...args], o)),
    );
    expect(both.map(({ status, stderr }) => [status, stderr])).toEqual([
      [0, ''],
      [0, ''],
    ]);
    const { database } = await openStore(one);
    const names = await database
      .query('SELECT count(*)::int AS n FROM artifact')
      .finally(() => database.close());
    expect(names).toEqual([{ n: 3 }]);
  });
});

it('an image is fetched with its attestations, whatever else is attached to it', async () => {
  const registry = await TestRegistry.start();
  const { manifest, config } = putImage(registry, [
    await layerOf([{ name: 'bin/app', content: program(1) }]),
  ]);
  const what = `${registry.repository}@${manifest.digest}`;
  const blob = (content: unknown, mediaType: string) => put(registry, 'blobs', content, mediaType);
  attach(registry, manifest, [blob({ junk: true }, SIGSTORE)], SIGSTORE);
  attach(registry, manifest, [blob(envelope([makeKey()], provenance(manifest.digest)), DSSE)]);
  const strangers = await run('fetch', what, ...policy);
  expect(strangers.status).toBe(2);
  expect(strangers.stdout).toContain('proven     nothing: what was given is refused\n');
  attach(registry, manifest, [blob(signed(config.digest), DSSE)]);
  const { status, stdout } = await run('fetch', what, ...policy);
  expect(stdout).toContain(`${what}: an OCI image\n  digest     ${manifest.digest}\n  holds      1 programs`);
  expect(stdout).toContain(`proven     of an OCI configuration of it, ${config.digest}, by dsse:`);
  expect(stdout).toContain('compiler   gcc 12.2.0 (says the statement)\n');
  expect(status).toBe(0);
  const named = await run('add', what, '--evidence', 'other.json', ...policy);
  expect(named.status).toBe(2);
  const alone = putImage(registry, [await layerOf([{ name: 'bin/app', content: program(2) }])]);
  const none = await run('fetch', `${registry.repository}@${alone.manifest.digest}`, ...policy);
  expect(none.status).toBe(2);
  expect(none.stdout).toContain('evidence_missing: ');
});

describeEngine('with a real registry', () => {
  it('an image by its index gives the programs in it', async () => {
    const what = `${world.fixture.repository}@${world.index}`;
    const { status, stdout, stderr } = await run('add', what, '--json');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [{ kind, programs, proven }] = JSON.parse(stdout) as [AddedArtifact];
    expect(kind).toBe('oci_image');
    expect(programs).toBeGreaterThanOrEqual(readdirSync('fixtures/programs').length);
    expect(proven.map(({ sha256 }) => sha256)).toEqual([
      world.index,
      world.fixture.manifest,
      world.fixture.config,
    ]);
  });
});
