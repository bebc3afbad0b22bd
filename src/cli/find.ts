/** Which subcommand the words of a command line name, and which one was meant where there is none. */
import { Fault } from '../base/fault.ts';
import { nearest } from '../base/nearest.ts';
import type { Entry, Registry } from './command.ts';

/** A command or a noun that was named, with the words behind it. */
export interface Found {
  name: string;
  entry: Entry;
  args: string[];
}

/** Every command with its whole name, nouns before what belongs to them. */
export function everyEntry(entries: readonly Entry[], before = ''): { name: string; entry: Entry }[] {
  return entries.flatMap((entry) => {
    const name = `${before}${entry.name}`;
    return [{ name, entry }, ...('commands' in entry ? everyEntry(entry.commands, `${name} `) : [])];
  });
}

/** A name that was given up, replaced by the one that it has now. */
function withoutAlias(words: readonly string[], { aliases }: Registry): readonly string[] {
  for (const [old, now] of Object.entries(aliases)) {
    const count = old.split(' ').length;
    if (words.slice(0, count).join(' ') === old) return [...now.split(' '), ...words.slice(count)];
  }
  return words;
}

function nearestOf(word: string, entries: readonly Entry[], before = ''): string[] {
  const near = nearest(
    word,
    entries.map(({ name }) => name),
  );
  return near === undefined ? [] : [before + near];
}

/** What may have been meant by words that begin like no command: one name or several, or none. */
function meant([first = '', second = '']: readonly string[], { commands, aliases }: Registry): string[] {
  const names = everyEntry(commands).map(({ name }) => name);
  const turned = names.filter((name) => name === `${second} ${first}`);
  if (turned.length > 0) return turned;
  const near = nearestOf(first, commands);
  if (near.length > 0) return near;
  const old = Object.entries(aliases).flatMap(([name, now]) => (name.endsWith(` ${first}`) ? [now] : []));
  return [...names.filter((name) => name.endsWith(` ${first}`)), ...old];
}

/** The command that these words name; a noun alone is found, too. Anything else is a usage Fault that says what is near. */
export function findCommand(given: readonly string[], registry: Registry): Found {
  const words = withoutAlias(given, registry);
  const names: string[] = [];
  let level = registry.commands;
  let found: Entry | undefined;
  for (;;) {
    const entry = level.find(({ name }) => name === words[names.length]);
    if (!entry) break;
    found = entry;
    names.push(entry.name);
    if (!('commands' in entry)) break;
    level = entry.commands;
  }
  const name = names.join(' ');
  const args = words.slice(names.length);
  const [next] = args;
  if (found && (!('commands' in found) || next === undefined || next.startsWith('-')))
    return { name, entry: found, args };
  const asked = found ? `${name} ${next}` : (words[0] ?? '');
  const near = found ? nearestOf(next ?? '', level, `${name} `) : meant(words, registry);
  const question = near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`;
  const page = ['reenact', ...names, '--help'].join(' ');
  throw new Fault('usage', `there is no command "${asked}"${question}`, undefined, `see ${page}`);
}
