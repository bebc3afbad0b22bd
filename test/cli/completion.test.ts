/** Completion as real shells do it: every subcommand, every option, and the values of those that have known ones. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { COMMANDS, NOUNS } from '../support/commands.ts';
import { reenact, tempFolder } from '../support/world.ts';

const folder = tempFolder();
for (const shell of ['bash', 'zsh', 'fish'])
  writeFileSync(join(folder, shell), (await reenact(['completion', shell])).stdout);
writeFileSync(join(folder, 'here.json'), '{}');
writeFileSync(join(folder, '.zshrc'), '');

function run(shell: string, script: string): string {
  const env = { ...process.env, HOME: folder, ZDOTDIR: folder };
  return execFileSync(shell, ['-c', script], { encoding: 'utf8', cwd: folder, env });
}

/** One line of words for each case, in any order. */
function listed(output: string): string[][] {
  return output
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => line.split(' ').filter(Boolean).sort());
}

/** What bash offers at the end of each line, by the function that it calls there; it parts words at "=", too. */
function bash(lines: readonly string[]): string[][] {
  const calls = lines.map((line) => {
    const words = line.split(/ |(?==)|(?<==)(?=.)/).map((word) => `'${word}'`);
    return `COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _reenact; echo "\${COMPREPLY[*]}"`;
  });
  return listed(run('bash', [`. ${folder}/bash`, ...calls].join('\n')));
}

/** What zsh's function adds, where files are one word. */
function zsh(lines: readonly string[]): string[][] {
  const calls = lines.map((line) => {
    const words = line.split(' ').map((word) => `'${word}'`);
    return `words=(${words.join(' ')}); CURRENT=${words.length}; PREFIX=${words.at(-1)}; added=(); _reenact; echo $added`;
  });
  const stand_ins = `compset() { PREFIX="\${PREFIX#*=}" }
compadd() { shift; for one in "$@"; do [[ "$one" == "$PREFIX"* ]] && added+=("$one"); done; : }
_files() { added+=(here.json) }`;
  return listed(run('zsh', [`source ${folder}/zsh`, stand_ins, ...calls].join('\n')));
}

function fish(lines: readonly string[]): string[][] {
  const calls = lines.map((line) => `echo (complete -C '${line}' | string split -f1 \\t)`);
  return listed(run('fish', [`source ${folder}/fish`, ...calls].join('\n')));
}

/** Types a line and Tab into an interactive shell, and gives the words that it then runs. */
async function typed(shell: string, start: string, line: string): Promise<string> {
  const env = { ...process.env, HOME: folder, ZDOTDIR: folder, TERM: 'dumb', PS1: '' };
  const child = spawn('script', ['-qec', start, '/dev/null'], { cwd: folder, env });
  let seen = '';
  child.stdout.on('data', (data: Buffer) => {
    seen += data.toString();
  });
  const wait = async (what: RegExp): Promise<string> => {
    while (!what.test(seen)) await new Promise((resolve) => setTimeout(resolve, 20));
    return what.exec(seen)![1]!;
  };
  try {
    const say = shell === 'fish' ? 'function reenact; echo "<$argv>"; end' : 'reenact() { echo "<$*>"; }';
    child.stdin.write(`source ${folder}/${shell}; ${say}; echo rea''dy\n`);
    await wait(/(ready)\r?\n/);
    child.stdin.write(`${line}\t`);
    // The shell answers the Tab before it reads on; a line that follows at once is taken as pasted by some.
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.stdin.write('\n');
    return (await wait(/<([^<>\r\n]*)>\r?\n/)).trim();
  } finally {
    child.stdin.end('exit\n');
    child.kill();
  }
}

const SHELLS: [name: string, offered: (lines: readonly string[]) => string[][], start: string][] = [
  ['bash', bash, 'bash --norc --noprofile -i'],
  ['zsh', zsh, 'zsh -i'],
  ['fish', fish, 'fish --no-config -i'],
];

describe.each(SHELLS)('%s', (shell, offered, start) => {
  const isHere = spawnSync(shell, ['--version']).status === 0;

  it.skipIf(!isHere)('knows every subcommand', () => {
    const verbs = [...NOUNS, ...COMMANDS.map(({ name }) => name)].map((name) => name.split(' '));
    for (const noun of ['', ...NOUNS]) {
      const below = verbs
        .filter((words) => words.slice(0, -1).join(' ') === noun)
        .map((words) => words.at(-1)!);
      const [got] = offered([`reenact ${noun}${noun && ' '}`]);
      expect(got, noun).toEqual((noun === '' ? [...below, 'help'] : below).sort());
    }
  });

  it.skipIf(!isHere)('knows every option, and every known value', () => {
    const rows: [line: string, wanted: string[]][] = COMMANDS.flatMap(({ name, command }) => {
      const options = Object.entries(command.options);
      const flags: [string, string[]] = [
        `reenact ${name} --`,
        [...options.map(([option]) => `--${option}`), '--help'],
      ];
      const values = options.flatMap(([option, { values, offered: more }]): [string, string[]][] =>
        values || more ? [[`reenact ${name} --${option} `, [...(values ?? more!)]]] : [],
      );
      return [flags, ...values];
    });
    expect(rows.filter(([line]) => line.endsWith('--policy ')).length).toBeGreaterThan(8);
    const got = offered(rows.map(([line]) => line));
    for (const [n, [line, wanted]] of rows.entries()) {
      const words = got[n]!.filter((word) => !/^(?:here\.json|bash|zsh|fish|\..*)$/.test(word));
      expect(words, line).toEqual([...wanted].sort());
    }
  });

  it.skipIf(!isHere)('offers files beside the policies that are built in, and where nothing is known', () => {
    const [policy, manifest, progress] = offered([
      'reenact run --policy ',
      'reenact run --policy h',
      'reenact run --progress ',
    ]);
    expect(policy).toEqual(expect.arrayContaining(['default', 'forensic', 'here.json']));
    expect(manifest).toEqual(['here.json']);
    expect(progress).toEqual(['auto', 'bar', 'none', 'plain']);
  });

  it.skipIf(!isHere)('completes what a person types, in a terminal', async () => {
    const rows = [
      ['reenact bundle custody sta', 'bundle custody stamp'],
      ['reenact run x.json --determinism fu', 'run x.json --determinism full'],
      ['reenact run --determinism=of', 'run --determinism=off'],
      ['reenact run --policy fore', 'run --policy forensic'],
      ['reenact run he', 'run here.json'],
      ['reenact bundle verify --rec', 'bundle verify --receipt'],
    ] as const;
    for (const [line, wanted] of rows) expect(await typed(shell, start, line), line).toBe(wanted);
  });
});
