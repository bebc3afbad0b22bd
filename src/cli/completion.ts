/** reenact completion: a script for the user's shell, made of the same table that options are parsed with. */
import { EXIT, Fault } from '../base/fault.ts';
import { OPTIONS, parseOptions } from './options.ts';

const WORDS: Record<string, string[]> = {
  schema: ['manifest', 'record', 'policy'],
  completion: ['bash', 'zsh', 'fish'],
};

function wordsOf(command: string): string[] {
  return [
    ...Object.keys(OPTIONS[command] ?? {}).map((name) => `--${name}`),
    '--help',
    ...(WORDS[command] ?? []),
  ];
}

function bash(): string {
  const cases = Object.keys(OPTIONS).map(
    (command) => `    ${command}) words="${wordsOf(command).join(' ')}" ;;`,
  );
  return `_reenact() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words="${Object.keys(OPTIONS).join(' ')} --help --version"
  if [ "$COMP_CWORD" -gt 1 ]; then case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _reenact reenact
`;
}

function fish(): string {
  const lines = [`complete -c reenact -n __fish_use_subcommand -a "${Object.keys(OPTIONS).join(' ')}"`];
  for (const command of Object.keys(OPTIONS)) {
    for (const name of [...Object.keys(OPTIONS[command]!), 'help'])
      lines.push(`complete -c reenact -n "__fish_seen_subcommand_from ${command}" -l ${name}`);
    if (WORDS[command])
      lines.push(
        `complete -c reenact -n "__fish_seen_subcommand_from ${command}" -a "${WORDS[command].join(' ')}"`,
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
