/** The command: picks the subcommand, and turns faults into one clear message and an exit status. */
import { EXIT, Fault, ReenactError } from '../base/fault.ts';
import { HELP } from './help.ts';

/** What is still open when all is done, such as the socket of an engine that stalls, is not waited for longer. */
const LINGER_MS = 2_000;

type Command = (args: string[]) => Promise<number>;

/** Each command's module is loaded only when it is called: --help must not wait for an engine library. */
const COMMANDS: Record<string, () => Promise<Command>> = {
  init: async () => (await import('./init.ts')).initCommand,
  capture: async () => (await import('./capture.ts')).captureCommand,
  run: async () => (await import('./run.ts')).runCommand,
  diff: async () => (await import('./diff.ts')).diffCommand,
  schema: async () => (await import('./schema.ts')).schemaCommand,
  verify: async () => (await import('./verify.ts')).verifyCommand,
  policy: async () => (await import('./policy.ts')).policyCommand,
  manifest: async () => (await import('./manifest.ts')).manifestCommand,
  sign: async () => (await import('./sign.ts')).signCommand,
  attest: async () => (await import('./sign.ts')).attestCommand,
  gate: async () => (await import('./gate.ts')).gateCommand,
  bundle: async () => (await import('./bundle.ts')).bundleCommand,
  artifact: async () => (await import('./artifact.ts')).artifactCommand,
  symbols: async () => (await import('./symbols.ts')).symbolsCommand,
  reproduce: async () => (await import('./reproduce.ts')).reproduceCommand,
  trace: async () => (await import('./trace.ts')).traceCommand,
  evidence: async () => (await import('./evidence.ts')).evidenceCommand,
  doctor: async () => (await import('./doctor.ts')).doctorCommand,
  completion: async () => (await import('./completion.ts')).completionCommand,
};

/** Says what went wrong, and gives the exit status for it. */
async function explain(thrown: unknown, args: readonly string[]): Promise<number> {
  const error =
    thrown instanceof ReenactError
      ? thrown
      : ((await import('./file-fault.ts')).fileFault(thrown, args) ?? thrown);
  if (error instanceof ReenactError) {
    const { safe, safeLine } = await import('../report/human.ts');
    // Evidence and bundles are refused by codes that people look up; of other faults the message says it all.
    const said = error instanceof Fault ? safe(error.message) : `${error.code}: ${safeLine(error.message)}`;
    process.stderr.write(
      `reenact: ${said}\n${error.code === 'interrupted' ? '' : `  next: ${error.next}\n`}`,
    );
    return error.exit;
  }
  process.stderr.write(
    `reenact: a bug, please report it with what follows\n${error instanceof Error ? error.stack : String(error)}\n`,
  );
  return EXIT.bug;
}

/** The text about a command of one or two words, or about all of them. */
function helpOf([first = '', second = '']: string[]): string {
  const known = [`${first} ${second}`, first, ''].find((words) => Object.hasOwn(HELP, words));
  return HELP[known!]!;
}

/** Runs the command line and returns its exit status. */
export async function main(argv: string[]): Promise<number> {
  const [name = '', ...args] = argv;
  const end = args.indexOf('--');
  const asksHelp = (end < 0 ? args : args.slice(0, end)).some((arg) => arg === '--help' || arg === '-h');
  // A reader that closes the pipe early, such as head, has seen what it wanted.
  process.stdout.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? 0 : EXIT.bug),
  );
  try {
    if (['', 'help', '--help', '-h'].includes(name)) {
      const text = helpOf(name === 'help' ? args : []);
      (name === '' ? process.stderr : process.stdout).write(text);
      return name === '' ? EXIT.usage : EXIT.ok;
    }
    if (name === '--version') {
      process.stdout.write(`${(await import('../base/version.ts')).VERSION}\n`);
      return EXIT.ok;
    }
    const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!load) throw new Fault('usage', `there is no command "${name}"`);
    if (asksHelp) {
      process.stdout.write(helpOf([name, ...args]));
      return EXIT.ok;
    }
    return await (await load())(args);
  } catch (error) {
    return await explain(error, args);
  } finally {
    setTimeout(() => process.exit(), LINGER_MS).unref();
  }
}
