/** What a subcommand is: one object that says how it is called, what it takes, and what it does. */
import type { Arguments } from './arguments.ts';

/** One option: parsing, help and completion are all made of this. */
export interface Option {
  /** A text, a text that may be given several times, or present and absent. */
  kind: 'text' | 'list' | 'flag';
  /** What stands for the value in help, such as FILE; none for a flag. */
  value?: string;
  /** In one or more sentences; help breaks the lines. */
  help: string;
  /** The only values there are: another one is refused. */
  values?: readonly string[];
  /** Values that are offered, beside any other text, such as the policies that are built in. */
  offered?: readonly string[];
  short?: string;
  /** What may stand behind a flag's =, such as --json=compat. */
  also?: readonly string[];
}

export type Options = Readonly<Record<string, Option>>;

/** A subcommand without its name and summary, which stand where it is listed (registry.ts). */
export interface Command {
  /** Each way to call it, without its name. */
  usage: readonly string[];
  /** What it does, in lines of at most 80 columns. */
  help: string;
  options: Options;
  /** Said below the options. */
  notes?: string;
  /** Whole commands, as lines of help. */
  examples?: readonly string[];
  /** The only words that may stand where others take files. */
  words?: readonly string[];
  /** Whether what stands behind -- is a program with its own arguments. */
  takesProgram?: true;
  /** Does the work and gives the exit status; it imports what it needs, so that help and completion answer at once. */
  run(a: Arguments, registry: Registry): Promise<number>;
}

/** What help says about several commands with one noun. */
export interface About {
  help: string;
  notes?: string;
  examples?: readonly string[];
}

/** A command, or a noun with commands of its own; the summary stands in the list that help prints. */
export type Entry = { name: string; summary: string } & (
  | { load: () => Promise<{ command: Command }> }
  | { about: () => Promise<{ about: About }>; commands: readonly Entry[] }
);

/** Every subcommand that there is (registry.ts). */
export interface Registry {
  commands: readonly Entry[];
  /** Names that commands had before, with those that they have now. */
  aliases: Readonly<Record<string, string>>;
}

export function text(value: string, help: string, more: Partial<Option> = {}): Option {
  return { kind: 'text', value, help, ...more };
}

/** An option that may be given several times. */
export function list(value: string, help: string, more: Partial<Option> = {}): Option {
  return { kind: 'list', value, help, ...more };
}

export function flag(help: string): Option {
  return { kind: 'flag', help };
}

/** An option with a closed set of values. */
export function oneOf(values: readonly string[], value: string, help: string): Option {
  return { kind: 'text', value, help, values };
}
