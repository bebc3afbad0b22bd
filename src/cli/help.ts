/** What --help prints, made of the commands themselves. */
import { COLUMNS, wrapped } from '../report/lines.ts';
import type { About, Command, Entry } from './command.ts';
import type { Option } from './option.ts';

/** Labels that are longer have their text on the next line. */
const LONGEST_LABEL = 22;

/** Labels in one column and texts in the next. */
function rows(pairs: readonly (readonly [label: string, text: string])[]): string {
  const fitting = pairs.map(([label]) => label.length).filter((length) => length <= LONGEST_LABEL);
  const column = 2 + Math.max(0, ...fitting) + 2;
  return pairs
    .map(([label, words]) => {
      const lines = wrapped(words, COLUMNS - column);
      const head = `  ${label}`;
      const beside = head.length + 2 <= column;
      const first = beside ? head.padEnd(column) + lines[0] : head;
      const rest = beside ? lines.slice(1) : lines;
      return `${[first, ...rest.map((line) => ' '.repeat(column) + line)].join('\n')}\n`;
    })
    .join('');
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line.replaceAll('\n', '\n  ')}\n`).join('');
}

function examplesText(examples: readonly string[] = []): string {
  if (examples.length === 0) return '';
  return `\n${examples.length === 1 ? 'example' : 'examples'}:\n${indented(examples)}`;
}

function label([name, { value }]: [string, Option]): string {
  return `--${name}${value === undefined ? '' : ` ${value}`}`;
}

function commandPage(name: string, command: Command): string {
  const { usage, help, options, notes, examples } = command;
  const calls = usage
    .map((call, n) => `${n === 0 ? 'usage: ' : '       '}reenact ${name} ${call}\n`)
    .join('');
  const table = rows(Object.entries(options).map((pair) => [label(pair), pair[1].help] as const));
  return `${calls}\n${help}\n${table && `\n${table}`}${notes ? `\n${notes}\n` : ''}${examplesText(examples)}`;
}

function nounPage(name: string, { help, notes, examples }: About, commands: readonly Entry[]): string {
  const table = rows(commands.map((entry) => [entry.name, entry.summary] as const));
  const more = `reenact ${name} COMMAND --help explains one of them.${notes ? ` ${notes}` : ''}`;
  return `usage: reenact ${name} COMMAND [OPTIONS]\n\n${help}\n\ncommands:\n${table}\n${wrapped(more, COLUMNS).join('\n')}\n${examplesText(examples)}`;
}

/** The page about one command, or about a noun with all its commands. */
export async function helpPage(name: string, entry: Entry): Promise<string> {
  return 'commands' in entry
    ? nounPage(name, (await entry.about()).about, entry.commands)
    : commandPage(name, (await entry.load()).command);
}

/** The page about all of them; no command is loaded for it. */
export function overview(commands: readonly Entry[]): string {
  return `usage: reenact COMMAND [OPTIONS]

Replays a program that crashed or misbehaved, in a pinned sandbox, and says
whether it did the same again.

commands:
${rows(commands.map(({ name, summary }) => [name, summary] as const))}
reenact COMMAND --help explains one command. The engine is the one DOCKER_HOST
names, else Docker's or Podman's socket.

exit status: 0 all gates pass, 1 diverged or a gate failed, 2 rejected,
  3 inconclusive (engine, registry, a limit), 64 usage or malformed input,
  70 a bug in reenact, 130 interrupted

examples:
  reenact capture --image registry.example.org/app@sha256:... \\
      --input request.bin -- app --once /case/request.bin
  reenact run crash.json --replays 20 --jobs 4
`;
}
