import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/base/digest.ts';
import { FAULTS } from '../../src/base/fault.ts';
import { ACTIONS } from '../../src/bundle/custody/event.ts';
import { BUNDLE_CODES } from '../../src/bundle/format/refused.ts';
import { readArguments } from '../../src/cli/arguments.ts';
import { type Command, flag, oneOf } from '../../src/cli/command.ts';
import { SIGNING_ALGORITHMS } from '../../src/cli/common-options.ts';
import { helpPage, overview } from '../../src/cli/help.ts';
import { runCommandLine } from '../../src/cli/main.ts';
import { REGISTRY } from '../../src/cli/registry.ts';
import { ALGORITHMS } from '../../src/evidence/common/keys.ts';
import { REFUSALS } from '../../src/evidence/common/refusal.ts';
import { JUNIT_ROOTS } from '../../src/report/junit.ts';
import { WITHOUT_NAMES } from '../../src/sandbox/mechanisms.ts';
import { COMMANDS, NOUNS } from '../support/commands.ts';
import { PLAIN } from '../support/refused.ts';
import { reenact, tempFolder } from '../support/world.ts';

describe('usage', () => {
  it.each([
    [[], 64, 'usage: reenact'],
    [['nonsense'], 64, 'there is no command "nonsense"'],
    [['run'], 64, 'name at least one manifest'],
    [['run', 'x.json', '--nonsense'], 64, 'there is no option --nonsense\n  next: see reenact run --help'],
    [['run', 'x.json', '--replay', '3'], 64, 'there is no option --replay; did you mean --replays?'],
    [['run', 'x.json', '--determinism', 'ful'], 64, '--determinism is one of full, off, not "ful"'],
    [['rum'], 64, 'there is no command "rum"; did you mean run?\n  next: see reenact --help'],
    [['bundle', 'verfy'], 64, 'did you mean bundle verify?\n  next: see reenact bundle --help'],
    [['bundle', 'custody', 'ad'], 64, 'did you mean bundle custody add?'],
    [['create', 'bundle'], 64, 'did you mean bundle create?'],
    [['inspect'], 64, 'did you mean bundle show?'],
    [['verify'], 64, 'did you mean evidence verify or bundle verify or symbols verify?'],
    [['bundle'], 64, 'bundle what? create, verify'],
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
    for (const { name, command } of COMMANDS) {
      const run = await reenact([...name.split(' '), '--help']);
      expect(run.status).toBe(0);
      expect(run.stdout).toContain(`usage: reenact ${name}`);
      for (const option of Object.keys(command.options)) expect(run.stdout).toContain(`--${option}`);
    }
  });

  it('a noun lists its commands, also behind help', async () => {
    for (const noun of NOUNS) {
      const own = COMMANDS.filter(({ name }) => name.startsWith(`${noun} `));
      const asked = await reenact([...noun.split(' '), '--help']);
      for (const { name } of own)
        expect(asked.stdout).toContain(`  ${name.slice(noun.length + 1).split(' ')[0]}`);
      expect((await reenact(['help', ...noun.split(' ')])).stdout).toBe(asked.stdout);
    }
  });

  it('names that were given up still work, and are shown nowhere', async () => {
    for (const [old, now] of Object.entries(REGISTRY.aliases)) {
      const run = await reenact([...old.split(' '), '--help']);
      expect(run.stdout).toContain(`usage: reenact ${now}`);
      expect(run.stdout).not.toContain(`reenact ${old}`);
    }
  });

  it('a command that is listed is a command: found, explained and run by its file alone', async () => {
    const ran: string[][] = [];
    const toy: Command = {
      usage: ['WORD...'],
      help: 'Says what it was given.',
      options: { loud: flag('in capitals'), tone: oneOf(['low', 'high'], 'HOW', 'low or high') },
      run: async ({ positionals, text }) => {
        ran.push([...positionals, text('tone') ?? 'none']);
        return 7;
      },
    };
    const registry = {
      commands: [{ name: 'echo', summary: 'say it again', load: async () => ({ command: toy }) }],
      aliases: { say: 'echo' },
    };
    expect(await runCommandLine(['echo', 'a', '--tone', 'low'], registry)).toBe(7);
    expect(await runCommandLine(['say', 'b'], registry)).toBe(7);
    expect(ran).toEqual([
      ['a', 'low'],
      ['b', 'none'],
    ]);
    expect(overview(registry.commands)).toContain('echo  say it again');
    expect(await helpPage('echo', registry.commands[0]!)).toContain('--tone HOW  low or high');
  });

  it('the values that options declare are those that the code knows', () => {
    const declared = (name: string, option: string): readonly string[] | undefined =>
      COMMANDS.find((one) => one.name === name)!.command.options[option]!.values;
    expect(declared('run', 'without')).toEqual(WITHOUT_NAMES);
    expect(declared('policy init', 'alg')).toEqual(ALGORITHMS);
    for (const name of ['sign', 'attest']) expect(declared(name, 'alg')).toEqual(SIGNING_ALGORITHMS);
    expect(declared('bundle custody add', 'action')).toEqual(ACTIONS);
    expect(declared('run', 'junit-root')).toEqual(JUNIT_ROOTS);
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

describe('a value that is none of a closed list', () => {
  /** As fingers slip: a letter left out, or two of a short word swapped. */
  const slipped = (value: string): string =>
    value.length > 3 ? value.slice(0, -1) : `${value[0]}${value[2]}${value[1]}`;
  const closed = COMMANDS.flatMap(({ name, command }) =>
    Object.entries(command.options).flatMap(([option, { values }]) =>
      (values ?? []).map((value) => ({ name, command, option, value, typed: slipped(value) })),
    ),
  );

  it.each(closed.filter(({ typed, command, option }) => !command.options[option]!.values!.includes(typed)))(
    '$name --$option $typed: what was meant is named',
    ({ name, command, option, value, typed }) => {
      const said = `--${option} is one of ${command.options[option]!.values!.join(', ')}, not "${typed}"; did you mean ${value}?`;
      expect(() => readArguments(name, command, [`--${option}`, typed])).toThrow(said);
    },
  );

  it.each([
    [['schema', 'manifset'], 'trace, join, not "manifset"; did you mean manifest?'],
    [['schema', 'record', 'policy'], 'name one format: manifest, record'],
    [['completion', 'fsh'], 'name a shell: one of bash, zsh, fish, not "fsh"; did you mean fish?'],
    [['policy', 'check', 'forensc'], 'readable file "forensc"; did you mean forensic?'],
    [['policy', 'explain', 'defualt'], 'readable file "defualt"; did you mean default?'],
    [['run', 'm.json', '--policy', 'Forensic'], 'readable file "Forensic"; did you mean forensic?'],
    [['sign', 'x', '--kye', 'k'], 'there is no option --kye; did you mean --key?'],
    [['run', 'm.json', '--json=compta'], 'stands alone or is --json=compat'],
    [['run', 'm.json', '--dry-run', '--without', 'cpudi'], 'not "cpudi"; did you mean cpuid?'],
  ])('%j: %s', async (words, said) => {
    const cwd = tempFolder();
    writeFileSync(join(cwd, 'm.json'), JSON.stringify(PLAIN));
    const { status, stderr } = await reenact(words, { cwd });
    expect([status, stderr]).toEqual([64, expect.stringContaining(said)]);
  });

  it('is named of the fields of manifests, policies and reenact.yaml, too', async () => {
    const cwd = tempFolder();
    writeFileSync(
      join(cwd, 'm.json'),
      JSON.stringify({ ...PLAIN, determinism: 'ful', schedule: 'in-order' }),
    );
    const { stderr } = await reenact(['run', 'm.json', '--dry-run'], { cwd });
    expect(stderr).toMatch(/determinism "ful" .*did you mean "full"\?/);
    expect(stderr).toMatch(/schedule "in-order" .*did you mean "in_order"\?/);
    writeFileSync(join(cwd, 'p.yaml'), 'version: 1\ngates: { mechanisms: al }\n');
    expect((await reenact(['policy', 'check', 'p.yaml'], { cwd })).stderr).toMatch(/did you mean "all"\?/);
  });
});
