import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/base/digest.ts';
import { FAULTS } from '../../src/base/fault.ts';
import { BUNDLE_CODES } from '../../src/bundle/format/refused.ts';
import { OPTIONS } from '../../src/cli/options.ts';
import { REFUSALS } from '../../src/evidence/common/refusal.ts';
import { reenact, tempFolder } from '../support/world.ts';

describe('usage', () => {
  it.each([
    [[], 64, 'usage: reenact'],
    [['nonsense'], 64, 'there is no command "nonsense"'],
    [['run'], 64, 'name at least one manifest'],
    [['run', 'x.json', '--nonsense'], 64, "Unknown option '--nonsense'"],
    [['run', 'no-such-file.json'], 64, 'no such file'],
    [['run', 'x', '--replays', '0'], 64, '--replays wants a whole number from 1'],
    [['run', 'x', '--shard', '3/2'], 64, '--shard wants I/N'],
    [['run', 'x', '--progress', 'loud'], 64, '--progress is one of'],
    [['capture', '--image', 'debian:12', '--', 'x'], 64, 'a tag can change'],
    [['capture', '--image', 'x'], 64, 'put the command after --'],
    [['schema', 'x'], 64, 'name a format'],
    [['completion', 'x'], 64, 'name a shell'],
    [['diff', 'a'], 64, 'name two records'],
    [['diff', 'a', 'b'], 64, 'a cannot be read'],
    [['bundle', 'push', 'x'], 64, 'name a bundle and where'],
    [['bundle', 'push', 'x', `localhost/a@${digestOf('x')}`], 64, 'digest is its own'],
    [['bundle', 'push', 'x', 'cases/one'], 64, 'names no place in a registry'],
    [['bundle', 'pull', 'localhost/a:t'], 64, 'where to put it'],
    [['bundle', 'pull', 'localhost/a', '--out', 'x'], 64, 'say which one'],
  ])('%j exits with %i', async (args, status, message) => {
    const run = await reenact(args);
    expect(run).toMatchObject({ status, stdout: '' });
    expect(run.stderr).toContain(message);
  });

  it('every command has help that names every option', async () => {
    for (const [command, table] of Object.entries(OPTIONS)) {
      const run = await reenact([...command.split(' '), '--help']);
      expect(run.status).toBe(0);
      for (const option of Object.keys(table)) expect(run.stdout).toContain(`--${option}`);
    }
  });

  it('completion scripts are accepted by their shell', async () => {
    const folder = tempFolder();
    const script = join(folder, 'c.bash');
    writeFileSync(script, (await reenact(['completion', 'bash'])).stdout);
    const complete = (words: string): string[] => {
      const at = words.split(' ').length - 1;
      const test = `. ${script}; COMP_WORDS=(${words}); COMP_CWORD=${at}; _reenact; echo "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['-c', test], { encoding: 'utf8' }).trim().split(' ');
    };
    expect(complete('reenact run --rep')).toEqual(['--replays', '--repository']);
    expect(complete('reenact bundle ver')).toEqual(['verify']);
    expect(complete('reenact bundle verify --rec')).toEqual(['--receipt']);
  });

  it('refuses a bad policy and configuration with every problem', async () => {
    const cwd = tempFolder();
    writeFileSync(
      join(cwd, 'm.json'),
      JSON.stringify({
        harness_version: '1',
        os: 'linux',
        sandbox_image_sha256: `sha256:${'a'.repeat(64)}`,
        seed: 1,
        run_instructions: 'true',
      }),
    );
    const bad: [string, string][] = [
      ['version: 1\ngates: {replay_ratio: 2, nonsense: 1}', '$.gates.nonsense is not a known field'],
      ['version: 1\nversion: 1\ngates: {}', 'unique'],
      ['version: 1\ngates: {forensic: true}', 'image_check must be "content"'],
      [
        'version: 1\ngates: {forensic: true, image_check: content, mechanisms: any}',
        'mechanisms must be "all", or left out',
      ],
      ['a: &x [1]\nb: *x', 'Alias resolution is disabled'],
      ['[', 'p.yaml'],
    ];
    for (const [text, message] of bad) {
      writeFileSync(join(cwd, 'p.yaml'), text);
      const run = await reenact(['run', 'm.json', '--policy', 'p.yaml', '--dry-run'], { cwd });
      expect(run.status, run.stderr).toBe(64);
      expect(run.stderr).toContain(message);
    }
    writeFileSync(join(cwd, 'reenact.yaml'), 'repositorys: []');
    expect((await reenact(['run', 'm.json', '--dry-run'], { cwd })).stderr).toContain('$.repositorys');
  });

  it('every fault code is documented', () => {
    const document = readFileSync('docs/errors.md', 'utf8');
    for (const code of [...Object.keys(FAULTS), ...Object.keys(REFUSALS), ...Object.keys(BUNDLE_CODES)])
      expect(document).toContain(`\`${code}\``);
  });
});
