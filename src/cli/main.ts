/** The command: picks the subcommand, and turns faults into one clear message and an exit status. */
import { EXIT, FAULTS, Fault, ReenactError } from '../base/fault.ts';
import type { Registry } from './command.ts';
import { findCommand } from './find.ts';
import { REGISTRY } from './registry.ts';
import { type JsonOutput, jsonOutput } from './shared/json.ts';

/** What is still open when all is done, such as the socket of an engine that stalls, is not waited for longer. */
const LINGER_MS = 2_000;

/** What to do next: a mistake in a call is explained by the page of the command that was called. */
function nextOf({ code, next }: Fault, command: string): string {
  return code === 'usage' && next === FAULTS.usage.next && command !== ''
    ? `see reenact ${command} --help`
    : next;
}

const BUG = 'report it with what stands on stderr: nothing that was done here can be relied on';

/** Says what went wrong, to people on stderr and as data where that was asked for, and gives the exit status for it. */
async function explain(
  thrown: unknown,
  command: string,
  args: readonly string[],
  json: JsonOutput | undefined,
): Promise<number> {
  const error =
    thrown instanceof ReenactError
      ? thrown
      : ((await import('./shared/file-fault.ts')).fileFault(thrown, args) ?? thrown);
  if (error instanceof ReenactError) {
    json?.fault({ code: error.code, message: error.message, next: nextOf(error, command) });
    const { safe, safeLine } = await import('../report/human.ts');
    // Evidence and bundles are refused by codes that people look up; of other faults the message says it all.
    const said = error instanceof Fault ? safe(error.message) : `${error.code}: ${safeLine(error.message)}`;
    process.stderr.write(
      `reenact: ${said}\n${error.code === 'interrupted' ? '' : `  next: ${safe(nextOf(error, command))}\n`}`,
    );
    return error.exit;
  }
  json?.fault({ code: 'bug', message: error instanceof Error ? error.message : String(error), next: BUG });
  process.stderr.write(
    `reenact: a bug, please report it with what follows\n${error instanceof Error ? error.stack : String(error)}\n`,
  );
  return EXIT.bug;
}

/** Behind -- stands another program's command line, with options of its own. */
function asksHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).some((arg) => arg === '--help' || arg === '-h');
}

async function printHelp(words: readonly string[], registry: Registry): Promise<number> {
  const { helpPage, overview } = await import('./help.ts');
  if (words.length === 0) process.stdout.write(overview(registry.commands));
  else {
    const { name, entry } = findCommand(words, registry);
    process.stdout.write(await helpPage(name, entry));
  }
  return EXIT.ok;
}

/** Runs one command line by a list of commands, and gives its exit status. */
export async function runCommandLine(argv: string[], registry: Registry): Promise<number> {
  const [first = '', ...rest] = argv;
  let [command, args] = ['', argv];
  const json = jsonOutput(argv);
  try {
    if (first === '') {
      process.stderr.write((await import('./help.ts')).overview(registry.commands));
      return EXIT.usage;
    }
    if (first === '--help' || first === '-h') return await printHelp([], registry);
    if (first === 'help')
      return await printHelp(
        rest.filter((word) => !word.startsWith('-')),
        registry,
      );
    if (first === '--version') {
      process.stdout.write(`${(await import('../base/version.ts')).VERSION}\n`);
      return EXIT.ok;
    }
    const found = findCommand(argv, registry);
    [command, args] = [found.name, found.args];
    if (asksHelp(args)) return await printHelp(command.split(' '), registry);
    const { entry } = found;
    if ('commands' in entry)
      throw new Fault('usage', `${command} what? ${entry.commands.map(({ name }) => name).join(', ')}`);
    const [{ command: subcommand }, { readArguments }] = await Promise.all([
      entry.load(),
      import('./arguments.ts'),
    ]);
    const status = await subcommand.run(readArguments(command, subcommand, args, json), registry);
    json?.end();
    return status;
  } catch (error) {
    const status = await explain(error, command, args, json);
    json?.end();
    return status;
  }
}

/** Runs the command line of this process and returns its exit status. */
export async function main(argv: string[]): Promise<number> {
  // A reader that closes the pipe early, such as head, has seen what it wanted.
  process.stdout.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? 0 : EXIT.bug),
  );
  try {
    return await runCommandLine(argv, REGISTRY);
  } finally {
    setTimeout(() => process.exit(), LINGER_MS).unref();
  }
}
