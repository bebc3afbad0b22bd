/** No message advises an option that the command which can print it lacks: every literal of the sources is looked at. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { FAULTS } from '../../src/base/fault.ts';
import { BUNDLE_CODES } from '../../src/bundle/format/refused.ts';
import type { Options } from '../../src/cli/option.ts';
import { REFUSALS } from '../../src/evidence/common/refusal.ts';
import { COMMANDS, NOUNS } from '../support/commands.ts';

const SRC = join(import.meta.dirname, '../../src');
const sources = new Map(
  globSync('**/*.ts', { cwd: SRC }).map((path) => [path, readFileSync(join(SRC, path), 'utf8')] as const),
);

const OPTIONS: Record<string, Options> = Object.fromEntries([
  ...NOUNS.map((name) => [name, {}] as const),
  ...COMMANDS.map(({ name, command }) => [name, command.options] as const),
]);

/** What they load lazily belongs to one of several commands. */
const DISPATCHERS = ['library/open.ts', 'library/bundle-create.ts'];

/** Which module is behind each method of the library's door. */
const METHODS = new Map(
  [...sources.get('library/open.ts')!.matchAll(/^ {4}(\w+): async [^;]*?import\('\.\/([^']+)'\)/gms)].map(
    ([, method, module]) => [method!, join('library', module!)] as const,
  ),
);

/** What a command reaches through the door. */
function calledIn(text: string): string[] {
  return [...text.matchAll(/\breenact\.(\w+)\(/g)].flatMap(([, method]) => METHODS.get(method!) ?? []);
}

/** Where each command begins: the file that it is declared in, and the file with what it does. */
const ENTRIES = Object.fromEntries(
  COMMANDS.map(({ name }) => {
    const path = `cli/commands/${name.replaceAll(' ', '/')}.ts`;
    return [
      name,
      [path, ...importsOf(path), ...(name === 'bundle create' ? ['library/bundle-trace.ts'] : [])],
    ];
  }),
);

function importsOf(path: string): string[] {
  const text = sources.get(path) ?? '';
  const lazy = DISPATCHERS.includes(path) ? [] : [...text.matchAll(/import\(\s*'(\.[^'\n]+)'/g)];
  const direct = [...text.matchAll(/^(?:import|export) (?!type )[^;]*?from '(\.[^'\n]+)'/gms)];
  return [...lazy, ...direct].map(([, name]) => join(path, '..', name!)).concat(calledIn(text));
}

function reachedFrom(entries: string[]): Set<string> {
  const found = new Set<string>();
  for (const path of entries) {
    const open = [path];
    for (let next = open.pop(); next; next = open.pop())
      if (!found.has(next)) {
        found.add(next);
        open.push(...importsOf(next));
      }
  }
  return found;
}

const REACHED = Object.entries(ENTRIES).map(([command, entries]) => ({
  command,
  files: reachedFrom(entries),
}));

/** Texts, not arguments: a literal with a space in it. */
function textsOf(source: string): string[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  return [...code.matchAll(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g)]
    .map(([text]) => text.slice(1, -1))
    .filter((text) => /\s/.test(text) && !/^--[a-z-]+=/.test(text));
}

/** Programs of others, whose options are not ours; and the shell commands of VERIFY.txt. */
const OTHERS =
  /\b(?:journalctl|deterministic-run\.sh|objcopy|dwarfdump|gcc|openssl|cosign|docker buildx|docker inspect|gh attestation|apt-get|find|jq|sha256sum|skopeo|npm|systemctl|zstd|eu-readelf|link with)\b|-Wl,/;

/** Options that a text names, without those of a command that it names in full. */
function advised(text: string): string[] {
  const named = Object.keys(OPTIONS).sort((a, b) => b.length - a.length);
  // Behind -- stands the program's own command.
  const rest = text
    .replace(/ -- [\s\S]*/, '')
    // Advice of doctor names the command by the path that works here.
    .replaceAll(/\$\{command\} /g, 'reenact ')
    .replaceAll(/\breenact ([a-z]+(?: [a-z]+)?)([^;,()]*)/g, (whole, words: string, tail: string) => {
      const command = named.find((name) => `${words} `.startsWith(`${name} `));
      const known = ['help', ...Object.keys(command === undefined ? {} : OPTIONS[command]!)];
      const options = [...tail.matchAll(/--([a-z][a-z-]*)/g)].map(([, option]) => option!);
      return options.every((option) => known.includes(option)) ? '' : whole;
    });
  return OTHERS.test(rest)
    ? []
    : [...rest.matchAll(/(?<![\w-])--([a-z][a-z-]*)/g)].map(([, option]) => option!);
}

/** Reached by way of a function of another command alone. */
const NEVER: readonly string[] = [
  'trace add: --policy in "name a policy: --policy P (reenact policy init makes one)"',
  // Outputs of these are never forced: wantFree and reports have advice of their own.
  ...[
    'run',
    'symbols fetch',
    ...['create', 'verify', 'redact', 'push', 'pull'].map((verb) => `bundle ${verb}`),
  ]
    .concat(['add', 'stamp', 'log'].map((verb) => `bundle custody ${verb}`))
    .map((command) => `${command}: --force in "name another file; --force replaces that one"`),
];

function lacking(text: string, commands: string[]): string[] {
  return advised(text).flatMap((option) =>
    commands
      .filter((command) => option !== 'help' && !Object.hasOwn(OPTIONS[command]!, option))
      .map((command) => `${command}: --${option} in "${text}"`)
      .filter((problem) => !NEVER.includes(problem)),
  );
}

/** The commands that a file of theirs is the beginning of, else those from whose code it can be reached. */
function printedBy(path: string): string[] {
  const own = Object.keys(ENTRIES).filter((command) => ENTRIES[command]!.includes(path));
  return own.length > 0 ? own : commandsOf((one) => one === path);
}

/** Commands from whose code a file can be reached. */
function commandsOf(test: (path: string) => boolean): string[] {
  return REACHED.filter(({ files }) => [...files].some(test)).map(({ command }) => command);
}

it('every command that is listed lies in the file of its name, which imports what it does', () => {
  for (const [name, [path, ...actions]] of Object.entries(ENTRIES)) {
    expect(sources.has(path!), path).toBe(true);
    expect(
      actions.some((one) => one.startsWith('cli/actions/')),
      name,
    ).toBe(true);
  }
});

it('every command that makes sandboxes has the same options for a host that lacks something', () => {
  const making = commandsOf((path) => ['replay/one.ts', 'sandbox/bare.ts'].includes(path));
  expect(making).toEqual(['capture', 'run', 'bundle replay', 'reproduce', 'doctor']);
  for (const command of Object.keys(OPTIONS))
    expect([command, OPTIONS[command]!.without?.kind, OPTIONS[command]!['allow-degraded']?.kind]).toEqual(
      making.includes(command) ? [command, 'list', 'flag'] : [command, undefined, undefined],
    );
});

it('what a command can print names only options that it has', () => {
  const wrong = [...sources].flatMap(([path, source]) =>
    /^cli\/(?:help|common-options|commands\/|actions\/completion)|^report\/(?:verify-txt|page-style)|\/(?:fault|refused|refusal)\.ts$/.test(
      path,
    )
      ? []
      : textsOf(source).flatMap((text) =>
          lacking(text, printedBy(path)).map((problem) => `${path}: ${problem}`),
        ),
  );
  expect(wrong).toEqual([]);
});

it('what is to be done about each code is possible wherever the code can come up', () => {
  const table: Record<string, string> = Object.fromEntries([
    ...Object.entries(FAULTS).map(([code, { next }]) => [code, next]),
    ...Object.entries(REFUSALS).map(([code, { next }]) => [code, next]),
    ...Object.entries(BUNDLE_CODES),
  ]);
  const raises = (code: string) => (path: string) =>
    !path.endsWith('/fault.ts') &&
    !path.endsWith('refused.ts') &&
    !path.endsWith('refusal.ts') &&
    sources.get(path)!.includes(`'${code}'`);
  expect(Object.entries(table).flatMap(([code, next]) => lacking(next, commandsOf(raises(code))))).toEqual(
    [],
  );
});

it('an option that is not there is found', () => {
  expect(lacking('say --allow-degraded', ['run', 'bundle ls'])).toEqual([
    'bundle ls: --allow-degraded in "say --allow-degraded"',
  ]);
  expect(lacking('see reenact run --help', ['schema'])).toEqual([]);
  expect(lacking('reenact symbols add FILE --policy P', ['schema'])).toEqual([]);
  expect(lacking('reenact schema trace --policy P', ['schema'])).not.toEqual([]);
});
