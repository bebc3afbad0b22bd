/** reenact completion: a script for the user's shell, made of the same table that options are parsed with. */
import { EXIT, Fault } from '../base/fault.ts';
import { OPTIONS, parseOptions } from './options.ts';

const WORDS: Record<string, string[]> = {
  schema: ['manifest', 'record', 'policy', 'evidence', 'trace', 'join'],
  completion: ['bash', 'zsh', 'fish'],
};

const COMMANDS = Object.keys(OPTIONS).filter((command) => !command.includes(' '));

/** The second words of a command that has some. */
function verbsOf(command: string): string[] {
  return Object.keys(OPTIONS).flatMap((words) =>
    words.startsWith(`${command} `) ? [words.slice(command.length + 1)] : [],
  );
}

function wordsOf(command: string): string[] {
  return [
    ...Object.keys(OPTIONS[command] ?? {}).map((name) => `--${name}`),
    '--help',
    ...(WORDS[command] ?? verbsOf(command)),
  ];
}

function bash(): string {
  const cases = Object.keys(OPTIONS)
    .toReversed()
    .map((words) => `    "${words} "*) words="${wordsOf(words).join(' ')}" ;;`);
  return `_reenact() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words="${COMMANDS.join(' ')} --help --version"
  if [ "$COMP_CWORD" -gt 1 ]; then case "\${COMP_WORDS[*]:1:COMP_CWORD-1} " in
${cases.join('\n')}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _reenact reenact
`;
}

function fish(): string {
  const lines = [`complete -c reenact -n __fish_use_subcommand -a "${COMMANDS.join(' ')}"`];
  for (const words of Object.keys(OPTIONS)) {
    const seen = words
      .split(' ')
      .map((word) => `__fish_seen_subcommand_from ${word}`)
      .join('; and ');
    for (const word of wordsOf(words))
      lines.push(
        `complete -c reenact -n "${seen}" ${word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`}`,
      );
  }
  return `${lines.join('\n')}\n`;
}

const SCRIPTS: Record<string, () => string> = {
  bash,
  zsh: () => `autoload -U +X compinit bashcompinit && compinit -u && bashcompinit\n${bash()}`,
  fish,
};

export async function completionCommand(args: string[]): Promise<number> {
  const [shell = ''] = parseOptions('completion', args).positionals;
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (!script) throw new Fault('usage', `name a shell: ${Object.keys(SCRIPTS).join(', ')}`);
  process.stdout.write(script());
  return EXIT.ok;
}
