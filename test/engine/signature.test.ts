/** From capture to a bundle: the crash that is expected, and no other one with the same state. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import type { Manifest } from '../../src/manifest/definition.ts';
import type { ReplayRecord } from '../../src/verdict/record.ts';
import { makeKey } from '../support/keys.ts';
import { unwrapped } from '../support/lines.ts';
import {
  describeEngine,
  manifest,
  type RunHelp,
  reenact,
  replay,
  tempFolder,
  world,
} from '../support/world.ts';

interface Captured {
  folder: string;
  manifest: Manifest;
  stdout: string;
}

async function capture(command: string[], ...more: string[]): Promise<Captured> {
  const folder = tempFolder();
  const image = `${world.fixture.repository}@${world.fixture.manifest}`;
  const done = await reenact(['capture', '--image', image, ...more, '--', ...command], { cwd: folder });
  expect(done, done.stderr).toMatchObject({ status: 0 });
  const written = JSON.parse(readFileSync(join(folder, 'crash.json'), 'utf8')) as Manifest;
  return { folder, manifest: written, stdout: done.stdout };
}

const again = (one: Manifest, o: RunHelp = {}): Promise<ReplayRecord> => replay({ ...one, replays: 3 }, o);
const gateOf = ({ gates }: ReplayRecord): unknown => gates.find(({ name }) => name === 'same_crash');
const shown = (stdout: string): string => /v1:[0-9a-f]{12}/.exec(stdout)![0];

describeEngine('an expected crash', () => {
  it('is captured, and met by every replay, under load, another host name and another order of folders', async () => {
    const { manifest: captured, stdout, folder } = await capture(['/bin/crashes', 'segv']);
    const { crash } = captured.expect!;
    expect(crash).toMatchObject({ signal: 'SIGSEGV', code: 1, fault: 'null' });
    expect(crash!.signature!.functions.slice(0, 3)).toEqual(['crashes!fault', 'crashes!ten', 'crashes!nine']);
    expect(stdout).toMatch(/\n {2}crash {5}SIGSEGV v1:[0-9a-f]{12} in fault \(crashes\+0x[0-9a-f]+\)/);
    expect(crash!.signature!.id.startsWith(shown(stdout))).toBe(true);
    const record = await replay(captured, { vary: true, folder });
    expect(record).toMatchObject({ verdict: 'reproduced', reason: 'matches_expectation' });
    expect(gateOf(record)).toEqual({
      name: 'same_crash',
      threshold: `exact ${shown(stdout)}`,
      value: shown(stdout),
      pass: true,
    });
    for (const { crash_signatures } of record.replays)
      expect(crash_signatures).toMatchObject([{ process: null, id: crash!.signature!.id, walk: 'whole' }]);
  });

  it('is another one than that of the same program by another way, though the states are the same', async () => {
    const [segv, wild, noncanonical] = [
      await capture(['/bin/crashes', 'segv']),
      await capture(['/bin/crashes', 'wild']),
      await capture(['/bin/crashes', 'noncanonical']),
    ];
    const all = [segv, wild, noncanonical].map((one) => one.manifest);
    expect(new Set(all.map((one) => one.expect!.final_state_sha256)).size).toBe(1);
    for (const one of all)
      for (const other of all.filter((two) => two !== one)) {
        const record = await again({ ...one, expect: { ...one.expect, crash: other.expect!.crash! } });
        expect(record).toMatchObject({ verdict: 'diverged', reason: 'crash_site', replay_success_ratio: 0 });
        const { stdout } = [segv, wild, noncanonical][all.indexOf(one)]!;
        expect(gateOf(record)).toMatchObject({ pass: false, value: expect.stringContaining(shown(stdout)) });
        expect(record.divergence).toMatchObject({ kind: 'crash', replay: 1 });
      }
  });

  it('by abort is told by who called it, past the C library', async () => {
    const { manifest: captured, stdout } = await capture(['/bin/crashes', 'abort']);
    expect(captured.expect!.crash).toMatchObject({ signal: 'SIGABRT', code: -6, fault: null });
    expect(captured.expect!.crash!.signature!.functions[0]).toBe('crashes!fault');
    expect(unwrapped(stdout)).toContain('of the C library');
    const record = await again(captured);
    expect(gateOf(record)).toMatchObject({ threshold: `exact ${shown(stdout)}`, pass: true });
  });

  it('is seen by nobody with determinism off', async () => {
    const { manifest: captured } = await capture(['/bin/crashes', 'segv']);
    const record = await again({ ...captured, determinism: 'off' });
    expect(record).toMatchObject({ verdict: 'inconclusive', reason: 'crash_unseen' });
    expect(gateOf(record)).toMatchObject({ pass: false });
  });

  it('may be a child’s, whose program ends well', async () => {
    const { manifest: captured, stdout } = await capture(['sh', '-c', '/bin/crashes segv; exit 0']);
    expect(captured.expect).toMatchObject({ exit_code: 0, crash: { process: 'crashes', signal: 'SIGSEGV' } });
    expect(stdout).toMatch(/crash {5}SIGSEGV v1:\S+ in fault \(crashes\+.* of crashes \[2\d\]\n/);
    expect(await again(captured)).toMatchObject({ verdict: 'reproduced' });
    const swapped = captured.run_instructions.replace('segv', 'wild');
    const other = await again({ ...captured, run_instructions: swapped });
    expect(other).toMatchObject({ verdict: 'diverged', reason: 'crash_site' });
    const none = await again({
      ...captured,
      run_instructions: captured.run_instructions.replace('segv', 'handled'),
    });
    expect(none).toMatchObject({ verdict: 'diverged' });
  });

  it('that was edited is refused before anything runs', async () => {
    const { manifest: captured, folder } = await capture(['/bin/crashes', 'segv']);
    captured.expect!.crash!.signature!.frames[0] = 'crashes@elf:00+0x1';
    writeFileSync(join(folder, 'edited.json'), JSON.stringify(captured));
    const done = await reenact(['run', 'edited.json'], { cwd: folder });
    expect(done.status).toBe(64);
    expect(done.stderr).toContain('$.expect.crash.signature.id is not the digest of');
    const text = JSON.stringify({ ...captured, expect: { exit_code: 1, crash: { signal: 'SIGSEGV' } } });
    writeFileSync(join(folder, 'both.json'), text);
    expect((await reenact(['run', 'both.json'], { cwd: folder })).stderr).toContain('and exit_code is 1');
  });

  it('of one place or another, as the seed decides, is never reproduced', async () => {
    const chance = manifest('/bin/crashes chance');
    const seeds = Array.from({ length: 8 }, (_, i) => i + 1);
    const folder = tempFolder();
    const record = await replay(chance, {
      folder,
      determinism: { mode: 'full', seeds, without: [] },
      replays: 8,
    });
    expect(new Set(record.replays.map((one) => one.final_state_sha256)).size).toBe(1);
    expect(new Set(record.replays.flatMap((one) => one.crash_signatures!.map(({ id }) => id))).size).toBe(2);
    expect(record).toMatchObject({ verdict: 'diverged', reason: 'crash_site' });
    const run = await reenact(['run', 'm.json', '--seeds', '1..8'], { cwd: folder });
    expect(run.stdout).toMatch(/\n {2}otherwise {2}signal SIGSEGV, v1:[0-9a-f]{12}: [\d, ]+\n/);
    expect(run.stdout).toMatch(/\n {2}difference crash \(replay \d\)\n/);
  });

  it('stays in a bundle, which is verified and replayed by it', async () => {
    const { folder } = await capture(['/bin/crashes', 'segv']);
    const run = await reenact(['run', 'crash.json', '--replays', '2', '--bundle', 'case.tar'], {
      cwd: folder,
    });
    expect(run, run.stderr).toMatchObject({ status: 0 });
    expect(await reenact(['bundle', 'verify', 'case.tar'], { cwd: folder })).toMatchObject({ status: 0 });
    const replayed = await reenact(['bundle', 'replay', 'case.tar', '--replays', '1'], { cwd: folder });
    expect(replayed, replayed.stderr).toMatchObject({ status: 0 });
    expect(replayed.stdout).toContain('1 of 1 new replays ended in a recorded state and crash');
  });

  it('leaves nothing in a redaction by which its program could be guessed', async () => {
    const { folder, manifest: captured } = await capture(['sh', '-c', 'cp /bin/crashes x; exec ./x segv']);
    const program = /@sha256:([0-9a-f]{64})\+/.exec(captured.expect!.crash!.signature!.frames[0]!)![1]!;
    const run = await reenact(['run', 'crash.json', '--replays', '2', '--bundle', 'case.tar'], {
      cwd: folder,
    });
    expect(run, run.stderr).toMatchObject({ status: 0 });
    writeFileSync(join(folder, 'key.pem'), makeKey().privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const args = ['--drop', 'files/work/x', '--out', 'less.tar', '--reason', 'privacy', '--key', 'key.pem'];
    const done = await reenact(['bundle', 'redact', 'case.tar', ...args, '--secret', 's'], { cwd: folder });
    expect(done, done.stderr).toMatchObject({ status: 0 });
    const bytes = readFileSync(join(folder, 'less.tar'));
    expect(bytes.includes(program)).toBe(false);
    expect(bytes.includes(captured.expect!.crash!.signature!.id)).toBe(false);
    expect(bytes.includes('"crash":{"code":1,"fault":"null","signal":"SIGSEGV"}')).toBe(true);
    const verified = await reenact(['bundle', 'verify', 'less.tar'], { cwd: folder });
    expect(verified, verified.stdout).toMatchObject({ status: 0 });
    const demanded = await reenact(['bundle', 'verify', 'less.tar', '--policy', 'default'], { cwd: folder });
    expect(demanded.stdout).toContain('crash sites were withheld');
  });
});
