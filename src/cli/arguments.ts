/** What stands behind a command's name, read by the options that the command declares; anything else is refused. */
import { parseArgs } from 'node:util';

import { Fault } from '../base/fault.ts';
import { nearest, notOneOf } from '../base/nearest.ts';
import type { Option, Options, Taken } from './option.ts';
import { type JsonOutput, jsonOutput } from './shared/json.ts';

export interface Arguments {
  /** The command, as it is called. */
  command: string;
  positionals: string[];
  /** Where results go as JSON, if that was asked for: then nothing else is printed to stdout. */
  json: JsonOutput | undefined;
  /** The words behind --, where the command takes a program; undefined where there is no --. */
  program: string[] | undefined;
  /** The option's text, or undefined. */
  text(name: string): string | undefined;
  list(name: string): string[];
  flag(name: string): boolean;
  /** A whole number within bounds, or the default. */
  number(name: string, min: number, max: number, otherwise: number): number;
}

/** What Node's reader says of one option; what is not there comes with the name that was meant. */
function refusal(error: Error, options: Options): Fault {
  const [, unknown] = /^Unknown option '(-[^']*)'/.exec(error.message) ?? [];
  if (unknown === undefined) return new Fault('usage', error.message.split('. ')[0]!, error);
  const near = nearest(unknown.replace(/^-+/, ''), [...Object.keys(options), 'help']);
  return new Fault('usage', `there is no option ${unknown}${near ? `; did you mean --${near}?` : ''}`, error);
}

function checkClosed(name: string, { values }: Option, given: string | string[] | boolean): void {
  const wrong = [given].flat().find((one) => values && !values.includes(String(one)));
  if (wrong !== undefined) throw new Fault('usage', `--${name} is ${notOneOf(String(wrong), values!)}`);
}

/** Flags without what stands behind their =, which Node's reader knows of no flag; only what the flag declares may. */
function withoutValues(args: readonly string[], options: Options): string[] {
  const end = args.indexOf('--');
  return args.map((word, n) => {
    const [, name = '', value = ''] = end < 0 || n < end ? (/^--([a-z-]+)=(.*)$/s.exec(word) ?? []) : [];
    const also = Object.hasOwn(options, name) ? options[name]!.also : undefined;
    if (!also) return word;
    if (!also.includes(value))
      throw new Fault(
        'usage',
        `--${name} stands alone or is --${name}=${also.join(` or --${name}=`)}, not "${word}"`,
      );
    return `--${name}`;
  });
}

/** Reads one command's arguments; anything unknown is a usage Fault. */
export function readArguments(
  name: string,
  command: Taken,
  args: readonly string[],
  json: JsonOutput | undefined = jsonOutput(args),
): Arguments {
  const { options, takesProgram } = command;
  const end = takesProgram ? args.indexOf('--') : -1;
  const own = end < 0 ? args : args.slice(0, end);
  const config = Object.fromEntries(
    Object.entries(options).map(([option, { kind, short }]) => [
      option,
      {
        type: kind === 'flag' ? ('boolean' as const) : ('string' as const),
        multiple: kind === 'list',
        ...(short === undefined ? {} : { short }),
      },
    ]),
  );
  const alone = withoutValues(own, options);
  let values: Record<string, string | string[] | boolean | undefined>;
  let positionals: string[];
  try {
    ({ values, positionals } = parseArgs({
      args: alone,
      options: config,
      allowPositionals: true,
      strict: true,
    }) as { values: typeof values; positionals: string[] });
  } catch (error) {
    throw refusal(error as Error, options);
  }
  for (const [option, given] of Object.entries(values))
    if (given !== undefined) checkClosed(option, options[option]!, given);
  const text = (option: string): string | undefined => values[option] as string | undefined;
  return {
    command: name,
    positionals,
    json,
    program: end < 0 ? undefined : args.slice(end + 1),
    text,
    list: (option) => (values[option] as string[] | undefined) ?? [],
    flag: (option) => values[option] === true,
    number(option, min, max, otherwise) {
      const given = text(option);
      if (given === undefined) return otherwise;
      const value = Number(given);
      if (!/^\d+$/.test(given) || value < min || value > max)
        throw new Fault('usage', `--${option} wants a whole number from ${min} to ${max}, not "${given}"`);
      return value;
    },
  };
}

/** One of a closed list of words, or undefined. */
export function choice<T extends string>(a: Arguments, name: string, values: readonly T[]): T | undefined {
  const given = a.text(name);
  if (given === undefined) return undefined;
  const found = values.find((value) => value === given);
  if (found === undefined) throw new Fault('usage', `--${name} is ${notOneOf(given, values)}`);
  return found;
}
