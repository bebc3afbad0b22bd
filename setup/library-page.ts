/** docs/library.md, made of the library's own declarations and examples: what it says is what the code says. */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = join(import.meta.dirname, '..');

const HEAD = `# The library
*Made by \`node setup/library-page.ts\` from src/library and examples; a test holds it to that.*

Everything that the command does can be done in code, through one door. \`npm install reenact\`, then:

\`\`\`ts
EXAMPLE\`\`\`

More programs of this length are in [examples/](../examples): verify a bundle, add a trace and audit it, an engine of one's own, a policy in code. The tests compile and run them against the packed package.

**Defaults.** Every option may be left out where nothing else is said: the engine is the machine's, the store \`.reenact\` in the current folder, the policy \`default\` where gates are judged. Opening reads, writes and connects to nothing; there is nothing to close. \`REENACT_DATABASE_URL\`, \`REENACT_REGISTRY_USER\`, \`REENACT_REGISTRY_PASSWORD\` and \`REENACT_KEY_PASSPHRASE\` are read from the environment, as by the command. \`reenact.yaml\` is read by the command alone.

**Verdicts are data.** A program that diverged, evidence that was rejected, a bundle that is refused: each is a result, with a code. Look at it: success is never that nothing was thrown.

**Errors.** What can be expected to go wrong is thrown as a \`ReenactError\`: \`code\` for programs, \`message\` and \`next\` (what to do) for people, \`cause\`, and \`exit\`, the status that the command would end with. Its subclasses are \`Fault\` (the call, the machine, the engine), \`Refusal\` (evidence) and \`Refused\` (bundles); [errors.md](errors.md) lists all codes. Anything else that is thrown is a bug.

**Names.** Sizes end in \`Bytes\` or \`_bytes\`, times in \`Ms\`, digests are \`sha256:\` and 64 hexadecimal digits. What is written to disk has names_with_underscores, as in its format; JSON Schemas of the formats: \`schema(name)\`. Every type that a signature uses can be imported from \`reenact\`.
`;

const TITLES: Record<string, string> = {
  ReplayMethods: 'Replays',
  EvidenceMethods: 'Evidence, policies and signatures',
  BundleMethods: 'Audit bundles',
  TraceMethods: 'Traces, symbols and artifacts',
};

/** A documentation comment as Markdown. */
function prose(comment: string): string {
  return comment
    .replace(/^\s*\/\*\*|\*\/\s*$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trim())
    .join(' ')
    .replace(/\s*@throws (\w+)/g, '\n\nThrows $1')
    .trim();
}

interface Declaration {
  name: string;
  comment: string;
  text: string;
}

/** The exported interfaces and types of a file, each with the comment above it. */
function declarationsOf(source: string): Declaration[] {
  const found = source.matchAll(
    /(\/\*\*(?:(?!\*\/)[\s\S])*\*\/)\nexport (interface (\w+)[\s\S]*?(?:\n\}|\{\})(?=\n|$)|type (\w+)[\s\S]*?;(?=\n(?:\n|\S)))/g,
  );
  return [...found].map(([, comment, text, one, other]) => ({
    name: one ?? other!,
    comment: comment!,
    text: text!,
  }));
}

/** The methods of an interface: signature and prose. */
function methodsOf({ text }: Declaration): { name: string; signature: string; says: string }[] {
  return [...text.matchAll(/(\/\*\*(?:(?!\*\/)[\s\S])*\*\/)\n {2}((\w+)\([\s\S]*?;)(?=\n)/g)].map(
    ([, comment, signature, name]) => ({
      name: name!,
      signature: signature!.replace(/\s+/g, ' ').replace(/\( /g, '(').replace(/,? \)/g, ')'),
      says: prose(comment!),
    }),
  );
}

/** The whole page. */
export function libraryPage(): string {
  const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
  const all = [
    ...globSync('src/library/*.ts', { cwd: ROOT }).sort(),
    'src/replay/options.ts',
    'src/replay/events.ts',
  ].flatMap((path) => declarationsOf(read(path)));
  const named = new Map(all.map((one) => [one.name, one]));
  const shown = new Set<string>(Object.keys(TITLES).concat('Reenact'));
  /** A type and those of the library that it uses, each shown once, where it is first met. */
  const types = (words: string): string =>
    [...new Set(words.match(/\b[A-Z]\w+/g) ?? [])]
      .flatMap((word) => {
        const declared = named.get(word);
        if (!declared || shown.has(word)) return [];
        shown.add(word);
        return [
          `${prose(declared.comment)}\n\n\`\`\`ts\n${declared.text}\n\`\`\`\n\n${types(declared.text)}`,
        ];
      })
      .join('');
  let page = HEAD.replace('EXAMPLE', read('examples/run-manifest.ts').replace(/^\/\*\*.*\n/, ''));
  page += '\n## openReenact(options?: OpenOptions): Reenact\n';
  page += `${types('OpenOptions ReenactEvent')}`;
  for (const [name, title] of Object.entries(TITLES)) {
    page += `\n## ${title}\n`;
    for (const method of methodsOf(named.get(name)!))
      page += `\n### ${method.name}\n\`\`\`ts\n${method.signature}\n\`\`\`\n\n${method.says}\n\n${types(method.signature)}`;
  }
  return `${page.replaceAll(/\n{3,}/g, '\n\n').trim()}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  writeFileSync(join(ROOT, 'docs/library.md'), libraryPage());
