/** symbols add, trace add, audit, gaps as a person calls them: from a compiled program to a joined frame, and what is refused by name. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';

import { readObject } from '../../src/objects/object.ts';
import { makeKey } from '../support/keys.ts';
import { anyPlace, type StorePlace } from '../support/stores.ts';
import { addressOf, elfOf } from '../support/symbols.ts';
import { reenact, tempFolder } from '../support/world.ts';

const POLICY = `version: 1
gates: { chain_of_custody: signed }
authorities: [{ id: team, key: { path: team.pub }, transparency: none }]
`;

let cwd: string;
let store: StorePlace;
let id: string;
const call = (...args: string[]): ReturnType<typeof reenact> =>
  reenact([...args, '--store', store.folder], { cwd, env: { REENACT_DATABASE_URL: store.url ?? '' } });
const policy = ['--policy', 'policy.yaml'];

beforeAll(async () => {
  [cwd, store] = [tempFolder(), await anyPlace()];
  const key = makeKey();
  writeFileSync(join(cwd, 'team.pem'), key.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(join(cwd, 'team.pub'), key.publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(join(cwd, 'policy.yaml'), POLICY);
  const program = elfOf(cwd, 'whole');
  execFileSync('objcopy', ['--only-keep-debug', program, join(cwd, 'app.debug')]);
  execFileSync('objcopy', ['--strip-all', program, join(cwd, 'app')]);
  id = readObject(program).images[0]!.id!;
  const at = addressOf(program, 'shown');
  const frames = [
    { image: 0, rel_addr: `0x${at.toString(16)}`, activation: true },
    { image: 1, rel_addr: '0x10' },
  ];
  const images = [
    { path: '/opt/app', id },
    { path: '/lib/other.so', id: 'elf:00' },
  ];
  const threads = [{ id: 1, crashed: true, frames }];
  writeFileSync(
    join(cwd, 'crash.json'),
    JSON.stringify({ reenact_trace: 1, signal: 'SIGSEGV', images, threads }),
  );
  for (const file of ['app', 'app.debug'])
    expect((await reenact(['sign', file, '--key', 'team.pem'], { cwd })).status).toBe(0);
});

it('a trace is added once, and each frame that is not joined has its reason and its remedy', async () => {
  const added = await call('trace', 'add', 'crash.json');
  expect(added.stdout).toMatch(/^sha256:[0-9a-f]{64} {2}crash\.json: 2 frames\n$/);
  expect((await call('trace', 'add', 'crash.json')).stdout).toContain('known already');
  const trace = added.stdout.slice(7, 19);
  const gaps = await call('trace', 'gaps', trace);
  expect(gaps.status).toBe(1);
  expect(gaps.stdout).toContain(`bundle_missing: /opt/app (${id})`);
  const audit = await call('trace', 'audit', trace, ...policy);
  expect(audit.status).toBe(1);
  expect(audit.stdout).toContain('FAIL  join_completeness: 0.0 %');
});

it('symbols come in with an accepted attestation of exactly their bytes, and in no other way', async () => {
  const add = (...args: string[]): ReturnType<typeof reenact> => call('symbols', 'add', ...args, ...policy);
  expect(await add('app.debug')).toMatchObject({ status: 64, stderr: /--evidence/ });
  const other = await add('app.debug', '--evidence', 'app.dsse.json');
  expect(other).toMatchObject({ status: 2, stdout: /refused {4}subject_missing/ });
  writeFileSync(join(cwd, 'stranger.pem'), makeKey().privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await reenact(['sign', 'app.debug', '--key', 'stranger.pem', '--out', 'stranger.dsse.json'], { cwd });
  const stranger = await add('app.debug', '--evidence', 'stranger.dsse.json');
  expect(stranger).toMatchObject({ status: 2, stdout: /refused {4}signature_invalid|refused {4}identity/ });
  // What its path says is a claim, held against the file.
  const lying = join(cwd, 'debug/.build-id/ab');
  mkdirSync(lying, { recursive: true });
  copyFileSync(join(cwd, 'app.debug'), join(lying, 'cdef.debug'));
  const lie = await add('debug', '--evidence', 'app.debug.dsse.json');
  expect(lie).toMatchObject({ status: 2, stdout: /its path says elf:abcdef, and it is elf:/ });
  const cut = readFileSync(join(cwd, 'app.debug')).subarray(0, 200);
  writeFileSync(join(cwd, 'cut.debug'), cut);
  await reenact(['sign', 'cut.debug', '--key', 'team.pem'], { cwd });
  expect(await add('cut.debug', '--evidence', 'cut.debug.dsse.json')).toMatchObject({
    ...{ status: 2, stdout: /object_malformed/ },
  });
});

it('late symbols and the shipped file join the earlier trace; the rest is named', async () => {
  const added = await call('symbols', 'add', 'app.debug', '--evidence', 'app.debug.dsse.json', ...policy);
  expect(added).toMatchObject({ status: 0, stdout: /quality {4}full[\s\S]*resolved {3}1 places/ });
  expect((await call('artifact', 'add', 'app', '--evidence', 'app.dsse.json', ...policy)).status).toBe(0);
  const { stdout } = await call('trace', 'add', 'crash.json', '--json');
  const [{ trace_id }] = JSON.parse(stdout) as [{ trace_id: string }];
  const audit = await call('trace', 'audit', trace_id, ...policy);
  expect(audit.status).toBe(1);
  expect(audit.stdout).toMatch(
    /#0 +fail \(.*inlined\.cpp:5\)\n +inlined in start \(.*:9\)\n +inlined in shown/,
  );
  expect(audit.stdout).toContain('joined: build 1');
  expect(audit.stdout).toContain('signed by team');
  const [{ gaps }] = JSON.parse((await call('trace', 'gaps', trace_id, '--json')).stdout);
  expect(gaps).toMatchObject([{ code: 'bundle_missing', image_id: 'elf:00', frames: [1], wins: 0.5 }]);
});

it('what the store holds is listed and shown: by digest, by build-id, by the file itself', async () => {
  const data = async (...args: string[]): Promise<Record<string, unknown>[]> =>
    JSON.parse((await call(...args, '--json')).stdout);
  const [trace] = await data('trace', 'ls');
  expect(trace).toMatchObject({ signal: 'SIGSEGV', frames: 2, reproduction: null });
  const traceId = String(trace!.trace_id);
  const listed = await call('trace', 'ls');
  expect(listed.stdout).toBe(
    `${traceId.slice(7, 19)}  SIGSEGV   2 frames      native        not reproduced yet\n`,
  );
  const [shown] = await data('trace', 'show', traceId.slice(7, 19));
  expect(shown).toEqual((await data('trace', 'show', 'crash.json'))[0]);

  const [symbols] = await data('symbols', 'ls');
  expect(symbols).toMatchObject({ name: 'app.debug', id, arch: 'x86_64', signers: [{ authority: 'team' }] });
  const digest = String(symbols!.sha256);
  for (const named of [digest, digest.slice(7, 15), id.slice(0, 16), id.slice(4, 16), 'app.debug'])
    expect(await data('symbols', 'show', named), named).toEqual([symbols]);
  expect((await call('symbols', 'show', 'app.debug')).stdout).toMatch(
    /^app\.debug\n {2}symbols {6}sha256:[\s\S]*quality {6}full\n {2}signed {7}team/,
  );

  const [artifact] = await data('artifact', 'ls');
  expect(artifact).toMatchObject({ name: 'app', kind: 'file', signers: [{ authority: 'team' }] });
  expect(await data('artifact', 'show', 'app')).toEqual([{ ...artifact, contents: [] }]);
  expect(await data('artifact', 'show', String(artifact!.sha256).slice(7, 13))).toHaveLength(1);
  for (const noun of ['trace', 'symbols', 'artifact']) {
    const { stdout } = await call(noun, 'ls');
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(await call(noun, 'ls', 'x')).toMatchObject({
      ...{ status: 64, stderr: expect.stringContaining(`reenact: ${noun} ls takes no "x"`) },
    });
    expect(await call(noun, 'show', 'abcdef')).toMatchObject({ status: 64, stderr: /abcdef in this store/ });
    expect(await call(noun, 'show', 'nowhere.x')).toMatchObject({ status: 64 });
  }
});

it('what is not there is said, and never taken for success', async () => {
  expect(await call('trace', 'audit', 'abcdef')).toMatchObject({ status: 64, stderr: /no trace abcdef/ });
  expect(await call('trace', 'audit', 'x')).toMatchObject({ status: 64, stderr: /no trace id/ });
  expect(await call('symbols', 'add', 'nowhere', '--evidence', 'app.dsse.json', ...policy)).toMatchObject({
    ...{ status: 64, stderr: /nowhere cannot be read/ },
  });
  mkdirSync(join(cwd, 'empty'));
  expect(await call('symbols', 'add', 'empty', '--evidence', 'app.dsse.json', ...policy)).toMatchObject({
    ...{ status: 64, stderr: /no symbol file/ },
  });
  const nowhere = { cwd, env: { REENACT_DATABASE_URL: '' } };
  expect(await reenact(['trace', 'add', 'crash.json', '--store', '/dev/null/x'], nowhere)).toMatchObject({
    ...{ status: 3, stderr: /\/dev\/null/ },
  });
  const folder = { cwd, env: { REENACT_DATABASE_URL: 'postgresql://nobody:secret@127.0.0.1:9/x' } };
  const down = await reenact(['trace', 'gaps', 'abcdef', '--store', store.folder], folder);
  expect(down).toMatchObject({ status: 3, stderr: /127\.0\.0\.1:9\/x/ });
  expect(down.stderr).not.toContain('secret');
  // What is only read makes no store, and a policy without authorities judges nothing.
  const typo = ['--store', join(cwd, 'typo')];
  for (const reading of [
    ['trace', 'gaps', 'abcdef'],
    ['bundle', 'create', '--trace', 'abcdef', '--out', 'x.rnb'],
  ])
    expect(await reenact([...reading, ...typo], nowhere)).toMatchObject({
      ...{ status: 64, stderr: /there is no store in/ },
    });
  expect(existsSync(join(cwd, 'typo'))).toBe(false);
  expect(await call('trace', 'audit', 'abcdef', '--policy', 'default')).toMatchObject({
    ...{ status: 64, stderr: /names no authority that may sign/ },
  });
  for (const url of ['garbage', 'mysql://x/y', 'postgresql://somebody@[::1/x']) {
    const wrong = { cwd, env: { REENACT_DATABASE_URL: url } };
    expect((await reenact(['trace', 'gaps', 'abcdef'], wrong)).status).toBe(64);
  }
});
