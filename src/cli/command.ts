/** What a subcommand is: one object that says how it is called, what it takes, and what it does. */
import type { Arguments } from './arguments.ts';
import type { Option, Taken } from './option.ts';

/** A subcommand without its name and summary, which stand where it is listed (registry.ts). */
export interface Command extends Taken {
  /** Each way to call it, without its name. */
  usage: readonly string[];
  /** What it does, in lines of at most 80 columns. */
  help: string;
  /** Said below the options. */
  notes?: string;
  /** Whole commands, as lines of help. */
  examples?: readonly string[];
  /** The only words that may stand where others take files. */
  words?: readonly string[];
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
