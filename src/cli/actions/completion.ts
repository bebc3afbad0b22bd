/** reenact completion: a script for the user's shell, made of the commands themselves. */
import { EXIT } from '../../base/fault.ts';
import { keysOf } from '../../base/table.ts';
import type { Arguments } from '../arguments.ts';
import type { Command, Registry } from '../command.ts';
import { everyEntry } from '../find.ts';
import type { Option } from '../option.ts';
import { oneWord } from '../shared/positionals.ts';

/** What may stand behind the words of one command, or of one noun. */
interface Place {
  /** The words, such as "bundle create"; empty for the command line itself. */
  name: string;
  options: [name: string, option: Option][];
  /** Verbs of a noun, or the only words that a command takes. */
  words: readonly string[];
}

const HELP: [string, Option] = ['help', { kind: 'flag', help: 'explain it' }];
const VERSION: [string, Option] = ['version', { kind: 'flag', help: 'print the version' }];

async function places({ commands }: Registry): Promise<Place[]> {
  const entries = everyEntry(commands);
  const nouns = entries.filter(({ name }) => !name.includes(' ')).map(({ name }) => name);
  const all: Place[] = [{ name: '', options: [HELP, VERSION], words: [...nouns, 'help'] }];
  for (const { name, entry } of entries) {
    if ('commands' in entry) {
      all.push({ name, options: [HELP], words: entry.commands.map((one) => one.name) });
      continue;
    }
    const { options, words = [] }: Command = (await entry.load()).command;
    all.push({ name, options: [...Object.entries(options), HELP], words });
  }
  return all;
}

/** The known values of an option: the only ones, or those that are offered beside files. */
function valuesOf({ values, offered }: Option): readonly string[] {
  return values ?? offered ?? [];
}

/** For bash and zsh: sets what may stand behind the words of a command, $1, and behind the word before, $2. */
function table(all: readonly Place[]): string {
  const cases = all
    .toReversed()
    .map(({ name, options, words }) => {
      const valued = options.filter(([, { kind }]) => kind !== 'flag');
      const known = valued.flatMap(([option, how]) => {
        const values = valuesOf(how);
        return values.length === 0
          ? []
          : [`      --${option}) values="${values.join(' ')}" files="${how.values ? '' : 'yes'}" ;;\n`];
      });
      const others = valued.map(([option]) => `--${option}`).join('|');
      const inner = [...known, ...(others ? [`      ${others}) files=yes ;;\n`] : [])].join('');
      return `    "${name}${name && ' '}"*)
      verbs="${words.join(' ')}" options="${options.map(([option]) => `--${option}`).join(' ')}"
${inner ? `      case "$2" in\n${inner}      esac\n` : ''}    ;;\n`;
    })
    .join('');
  return `_reenact_place() {
  case "$1" in
${cases}  esac
}
`;
}

const BASH = `_reenact() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local verbs="" options="" values="" files="" named="" open=yes word
  # Bash takes --option=value for three words.
  if [ "$current" = "=" ]; then current=""
  elif [ "$previous" = "=" ]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      --) return ;; # Behind it stands another program.
      -*) open="" ;;
      *) if [ -n "$open" ]; then named="$named$word "; fi ;;
    esac
  done
  _reenact_place "$named" "$previous"
  if [ -n "$values" ]; then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
    if [ -n "$files" ]; then
      COMPREPLY+=($(compgen -f -- "$current"))
      compopt -o filenames 2>/dev/null
    fi
  elif [ -n "$files" ]; then return
  elif [ "\${current:0:1}" = "-" ]; then COMPREPLY=($(compgen -W "$options" -- "$current"))
  else COMPREPLY=($(compgen -W "$verbs" -- "$current")); fi
}
complete -o default -F _reenact reenact
`;

const ZSH = `_reenact() {
  local current="$PREFIX" previous="\${words[CURRENT-1]}"
  local verbs="" options="" values="" files="" named="" open=yes word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$word" in
      --) _files; return ;; # Behind it stands another program.
      -*) open="" ;;
      *) if [[ -n "$open" ]]; then named="$named$word "; fi ;;
    esac
  done
  if [[ "$current" == --*=* ]]; then
    previous="\${current%%=*}"
    compset -P '*='
  fi
  _reenact_place "$named" "$previous"
  if [[ -n "$values" ]]; then
    compadd -- \${=values}
    if [[ -n "$files" ]]; then _files; fi
  elif [[ -z "$files" && "$current" == -* ]]; then compadd -- \${=options}
  elif [[ -z "$files" && -n "$verbs" ]]; then compadd -- \${=verbs}
  else _files; fi
}
(( \${+functions[compdef]} )) || { autoload -U compinit && compinit -u; }
compdef _reenact reenact
`;

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function fish(all: readonly Place[]): string {
  const lines = all.flatMap(({ name, options, words }) => {
    const at = `-n ${quoted(`__reenact_at ${name}`.trim())}`;
    const verbs = words.length > 0 ? [`complete -c reenact ${at} -f -a ${quoted(words.join(' '))}`] : [];
    return [
      ...verbs,
      ...options.map(([option, how]) => {
        const values = valuesOf(how);
        const takes = how.kind === 'flag' ? '' : how.values ? ' -x' : ' -r';
        const list = values.length > 0 ? ` -a ${quoted(values.join(' '))}` : '';
        return `complete -c reenact ${at} -l ${option}${takes}${list} -d ${quoted(how.help.split(/[;:,(]/)[0]!.trim())}`;
      }),
    ];
  });
  return `# Whether these words, and no more of a command's name, stand before the cursor.
function __reenact_at
    set -l given (commandline -opc)
    set -l named
    for word in $given[2..]
        string match -q -- '-*' $word; and break
        set -a named $word
    end
    set -l place ''
    for count in 1 2 3
        test (count $named) -ge $count; or break
        contains -- "$named[1..$count]" ${all.flatMap(({ name }) => (name ? [quoted(name)] : [])).join(' ')}; or break
        set place "$named[1..$count]"
    end
    test "$place" = "$argv"
end
${lines.join('\n')}
`;
}

const SCRIPTS: Record<'bash' | 'zsh' | 'fish', (all: readonly Place[]) => string> = {
  bash: (all) => table(all) + BASH,
  zsh: (all) => table(all) + ZSH,
  fish,
};

export async function completionCommand(a: Arguments, registry: Registry): Promise<number> {
  const script = SCRIPTS[oneWord(a, 'shell', keysOf(SCRIPTS))];
  process.stdout.write(script(await places(registry)));
  return EXIT.ok;
}
