/** The declarations that the package ships, followed from its door: which names a consumer meets, and which are exported. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A name in a file of declarations. */
interface Declared {
  file: string;
  name: string;
}

/** A name that a consumer meets. */
interface Reached extends Declared {
  exported: boolean;
  /** A constant, whose name is not needed to use its type. */
  isValue: boolean;
}

interface File {
  /** The text of each declaration at the top, by its name. */
  declarations: Map<string, string>;
  /** Where names from other files are declared; a package where the path is none. */
  imports: Map<string, Declared>;
  /** What is exported under another file's or its own name. */
  exports: Map<string, Declared>;
  /** Files of which everything is exported. */
  all: string[];
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
}

/** `type A, B as C` in braces: each name as it is called there and here. */
function namesIn(list: string): { there: string; here: string }[] {
  return list.split(',').flatMap((one) => {
    const [, there, here] = /^\s*(?:type\s+)?(\w+)(?:\s+as\s+(\w+))?\s*$/.exec(one) ?? [];
    return there ? [{ there, here: here ?? there }] : [];
  });
}

/** The file that a declaration names, without its ending; a package's name as it is. */
function target(file: string, from: string): string {
  return from.startsWith('.') ? join(file, '..', from.replace(/\.(?:d\.)?[jt]s$/, '')) : from;
}

/** Reads one file of declarations; what stands at the beginning of a line begins a declaration. */
function readDeclarations(folder: string, file: string): File {
  const text = withoutComments(readFileSync(join(folder, `${file}.d.ts`), 'utf8'));
  const read: File = { declarations: new Map(), imports: new Map(), exports: new Map(), all: [] };
  for (const [, kind, list, from] of text.matchAll(
    /^(import|export) (?:type )?\{([^}]*)\}(?: from '([^']+)')?;/gm,
  ))
    for (const { there, here } of namesIn(list!))
      read[kind === 'import' ? 'imports' : 'exports'].set(here, {
        file: from === undefined ? file : target(file, from),
        name: there,
      });
  for (const [, from] of text.matchAll(/^export (?:type )?\* from '([^']+)';/gm))
    read.all.push(target(file, from!));
  const begins = /^(export )?(?:declare )?(?:abstract )?(?:interface|class|type|const|function|enum) (\w+)/;
  let last = '';
  for (const part of text.split(/\n(?=\S)/)) {
    const [, exported, name] = begins.exec(part) ?? [];
    if (name && exported) read.exports.set(name, { file, name });
    // A brace at the beginning of a line ends a part of the declaration that is open; anything else begins a new one.
    last = name ?? (/^[})]/.test(part) ? last : '');
    if (last) read.declarations.set(last, `${read.declarations.get(last) ?? ''}${part}\n`);
  }
  return read;
}

/** Whether a name is declared in a package, or in Node itself. */
export function isPackage(folder: string, file: string): boolean {
  return !existsSync(join(folder, `${file}.d.ts`));
}

/** Everything that the signatures of what `index.d.ts` exports use, with whether index.d.ts exports it. */
export function reachable(folder: string): Reached[] {
  const files = new Map<string, File>();
  const fileOf = (file: string): File => {
    const known = files.get(file) ?? readDeclarations(folder, file);
    files.set(file, known);
    return known;
  };
  const keyOf = ({ file, name }: Declared): string => `${file} ${name}`;
  const exportsOf = (file: string): Declared[] => {
    const { exports, all } = fileOf(file);
    return [...exports.values(), ...all.flatMap(exportsOf)];
  };
  const door = exportsOf('index');
  const exported = new Set(door.map(keyOf));
  const found = new Map<string, Declared>();
  const open = [...door];
  for (let next = open.pop(); next; next = open.pop()) {
    if (found.has(keyOf(next))) continue;
    found.set(keyOf(next), next);
    // What is behind a package is the package's own affair; that it is met at all is for the test to judge.
    if (isPackage(folder, next.file)) continue;
    const { declarations, imports } = fileOf(next.file);
    const text = declarations.get(next.name) ?? '';
    const words = [...text.matchAll(/\b[A-Z]\w*\b|(?<=\btypeof )\w+/g)].map(([word]) => word);
    for (const word of new Set(words)) {
      const from = imports.get(word);
      if (from) open.push(from);
      else if (word !== next.name && declarations.has(word)) open.push({ file: next.file, name: word });
    }
  }
  const isValue = ({ file, name }: Declared): boolean =>
    !isPackage(folder, file) &&
    /^(?:export )?(?:declare )?const /.test(fileOf(file).declarations.get(name) ?? '');
  return [...found.values()].map((one) => ({
    ...one,
    exported: exported.has(keyOf(one)),
    isValue: isValue(one),
  }));
}
