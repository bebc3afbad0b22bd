/** Every subcommand with what it declares, for tests that look at all of them. */
import type { Command } from '../../src/cli/command.ts';
import { everyEntry } from '../../src/cli/find.ts';
import { REGISTRY } from '../../src/cli/registry.ts';

const loaded = everyEntry(REGISTRY.commands).map(async ({ name, entry }) =>
  'commands' in entry ? [] : [{ name, command: (await entry.load()).command }],
);

export const COMMANDS: readonly { name: string; command: Command }[] = (await Promise.all(loaded)).flat();

/** Nouns such as "bundle", which are no commands by themselves. */
export const NOUNS: readonly string[] = everyEntry(REGISTRY.commands).flatMap(({ name, entry }) =>
  'commands' in entry ? [name] : [],
);
