import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';

import type { ReplayRecord } from '../../src/verdict/record.ts';
import { recordSchema, recordShape } from '../../src/verdict/record.ts';
import { describeEngine, manifest, reenact, tempFolder, world, writeManifest } from '../support/world.ts';

const image = (): string => `${world.fixture.repository}@${world.fixture.manifest}`;

describeEngine('the command', () => {
  it('captures a crash and replays it from the manifest it wrote', async () => {
    const cwd = tempFolder();
    const elsewhere = join(tempFolder(), 'input.txt');
    writeFileSync(elsewhere, 'hello');
    const captured = await reenact(
      [
        'capture',
        '--image',
        image(),
        '--input',
        elsewhere,
        '--out',
        'deep/m.json',
        '--',
        'sh',
        '-c',
        'cat /case/input.txt; echo "$SEED" > "a b"; exit 5',
      ],
      { cwd },
    );
    expect(captured, captured.stderr).toMatchObject({ status: 0 });
    const written = JSON.parse(readFileSync(join(cwd, 'deep/m.json'), 'utf8'));
    expect(written).toMatchObject({
      seed: 1,
      inputs: [{ path: 'input.txt', source: 'inputs/input.txt' }],
      expect: { exit_code: 5 },
    });
    expect(written).not.toHaveProperty('kernel_version');
    const run = await reenact(['run', 'deep', '--replays', '3'], { cwd });
    expect(run, run.stderr).toMatchObject({ status: 0 });
    expect(run.stdout).toContain('3 of 3 match, ratio 1.0');
    expect(run.stdout + run.stderr).not.toContain('\u001b');
  });

  it('captures nothing from a command that cannot run', async () => {
    const cwd = tempFolder();
    const captured = await reenact(['capture', '--image', image(), '--', 'nope'], { cwd });
    expect(captured.status).toBe(3);
    expect(captured.stderr).toContain('exec_failed');
  });

  it('prints records that fit their schema, one or several, and JUnit', async () => {
    const cwd = tempFolder();
    writeManifest(
      cwd,
      manifest('/bin/crash', { replays: 2, kernel_version: '1.x', libc_version: 'glibc 2.36' }),
      'a.json',
    );
    writeManifest(
      cwd,
      manifest('sh -c \'od -N8 -tx1 /dev/urandom; printf "\\\\033[31m<&\\""\'', {
        replays: 2,
        determinism: 'off',
        name: 'noise <&"',
      }),
      'b.json',
    );
    writeManifest(
      cwd,
      manifest('/bin/crash', {
        sandbox_image: '127.0.0.1:65099/x',
        sandbox_image_sha256: `sha256:${'1'.repeat(64)}` as never,
      }),
      'c.json',
    );
    const run = await reenact(['run', '*.json', '--json', '--junit', 'junit.xml', '--jobs', '2'], { cwd });
    expect(run.status).toBe(1);
    const records = JSON.parse(run.stdout) as ReplayRecord[];
    expect(records.map((r) => r.verdict)).toEqual(['reproduced', 'diverged', 'inconclusive']);
    expect(records[0]!.claims).toMatchObject([
      { name: 'kernel_version', claimed: '1.x', match: false },
      { name: 'libc_version', observed: null, match: null },
    ]);
    const validate = new Ajv2020({ strict: false }).compile(recordSchema());
    for (const record of records) {
      const problems: never[] = [];
      recordShape.check(record, '$', problems);
      expect(problems).toEqual([]);
      expect(validate(record), JSON.stringify(validate.errors)).toBe(true);
    }
    const xml = readFileSync(join(cwd, 'junit.xml'), 'utf8');
    expect(xml).toContain('<testsuite name="b.json" tests="5" failures="3" errors="0"');
    expect(xml).toContain('<property name="name" value="noise &lt;&amp;&quot;"/>');
    expect(xml).toContain('<error message="registry_unreachable');
    const one = await reenact(['run', 'a.json', '--json'], { cwd });
    expect(JSON.parse(one.stdout)).toMatchObject([{ record_version: 1, verdict: 'reproduced' }]);
    const old = await reenact(['run', 'a.json', '--json=compat'], { cwd });
    expect(JSON.parse(old.stdout)).toMatchObject({ record_version: 1 });
    // What a program prints must not reach the terminal as control characters.
    const human = await reenact(['run', 'b.json'], { cwd });
    expect(human.stdout).not.toContain('\u001b');
  });

  it('shards replays so that every one runs in exactly one shard', async () => {
    const cwd = tempFolder();
    writeManifest(cwd, manifest('/bin/crash', { replays: 5 }));
    const indices: number[] = [];
    for (const shard of ['1/2', '2/2']) {
      const run = await reenact(['run', 'm.json', '--shard', shard, '--json', '--out', `out-${shard[0]}`], {
        cwd,
      });
      const [record] = JSON.parse(run.stdout) as [ReplayRecord];
      expect(record).toMatchObject({ shard, verdict: 'reproduced', replay_success_ratio: 1 });
      indices.push(...record.replays.map((r) => r.index));
    }
    expect(indices.sort()).toEqual([1, 2, 3, 4, 5]);
  });

  it('stops a manifest at its first divergence when asked to', async () => {
    const cwd = tempFolder();
    writeManifest(cwd, manifest('od -N8 -tx1 /dev/urandom', { replays: 30, determinism: 'off' }));
    const run = await reenact(['run', 'm.json', '--fail-fast', '--json', '--jobs', '2'], { cwd });
    const [record] = JSON.parse(run.stdout) as [ReplayRecord];
    expect(run.status).toBe(1);
    expect(record.verdict).toBe('diverged');
    expect(record.replays.length).toBeLessThan(10);
  });

  it('shows all differences of two replays', async () => {
    const cwd = tempFolder();
    writeManifest(
      cwd,
      manifest("sh -c 'echo same > same; od -N4 -tx1 /dev/urandom > f; od -N4 -tx1 /dev/urandom'", {
        determinism: 'off',
        replays: 2,
      }),
    );
    await reenact(['run', 'm.json'], { cwd });
    const replays = execFileSync('sh', ['-c', 'ls .reenact/runs/*/replays/*.json'], { cwd, encoding: 'utf8' })
      .trim()
      .split('\n');
    const diff = await reenact(['diff', ...replays], { cwd });
    expect(diff.status).toBe(1);
    expect(diff.stdout).toMatch(
      /^stdout, first at byte \d+\n {2}- .*\n {2}\+ .*\n\/work\/f: sha256, first at byte \d+\n/,
    );
    expect(diff.stdout).not.toContain('/work/same');
    const same = await reenact(['diff', replays[0]!, replays[0]!], { cwd });
    expect(same).toMatchObject({ status: 0, stdout: 'the states are the same\n' });
  });

  it('says what this machine can do', async () => {
    const doctor = await reenact(['doctor']);
    expect(doctor.status).toBe(0);
    expect(doctor.stdout).toMatch(/^ok +engine +docker /m);
    expect(JSON.parse((await reenact(['doctor', '--json'])).stdout)).toMatchObject([{ usable: true }]);
    expect(await reenact(['doctor'], { env: { DOCKER_HOST: 'unix:///nowhere' } })).toMatchObject({
      status: 3,
    });
  });

  it('checks and prints the plan without an engine', async () => {
    const cwd = tempFolder();
    mkdirSync(join(cwd, 'empty'));
    writeManifest(cwd, manifest("sh -c 'x $seed'"));
    const run = await reenact(['run', 'm.json', '--dry-run'], {
      cwd,
      env: { DOCKER_HOST: 'unix:///nowhere' },
    });
    expect(run.status).toBe(0);
    expect(run.stdout).toContain('20 replays of'.replace('20', '1'));
    expect(await reenact(['run', 'empty'], { cwd })).toMatchObject({ status: 64 });
    writeManifest(cwd, { seed: -1 }, 'bad.json');
    const bad = await reenact(['run', 'm.json', 'bad.json'], { cwd });
    expect(bad).toMatchObject({ status: 64, stdout: '' });
    expect(bad.stderr).toContain('$.harness_version is missing');
  });
});
