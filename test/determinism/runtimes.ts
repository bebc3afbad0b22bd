/** Programs for the language runtimes of sandboxes/debian12-runtimes; Java's and Go's are compiled there once. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';

import { ensureSandbox } from '../../setup/sandbox.ts';
import type { Engine } from '../../src/sandbox/engine.ts';
import { compileInside } from './compile-inside.ts';
import type { Case, CaseFile } from './run.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'fixtures/determinism/runtimes');

/** How a file is run, by its extension. */
const RUN: Record<string, (file: string, name: string) => string> = {
  '.py': (file) => `python3 /case/${file}`,
  '.pl': (file) => `perl /case/${file}`,
  '.rb': (file) => `ruby /case/${file}`,
  '.lua': (file) => `lua5.4 /case/${file}`,
  '.js': (file) => `node --expose-gc /case/${file}`,
  '.sql': (file) => `sh -c 'sqlite3 -bail < /case/${file}'`,
  '.sh': (file) => `bash /case/${file}`,
  '.java': (_, name) => `java -cp /case ${name}`,
  // Inputs cannot be executed where they are.
  '.go': (_, name) => `sh -c 'cp /case/${name} . && chmod 755 ${name} && exec ./${name}'`,
};

const COMPILE = `set -e
cd /work
javac -d . /case/*.java
for file in /case/*.go; do
  name=$(basename $file .go)
  GOCACHE=/work/cache GO111MODULE=off CGO_ENABLED=0 go build -trimpath -o $name $file
done
rm -rf cache .cache .config`;

/** "# python3 threads: that …": runtime and what of it. */
function firstLine(file: string, text: string): string {
  const found = /^(?:#|--|\/\/) ([^:]+): .+\n/.exec(text);
  if (!found) throw new Error(`${file}: the first line must say what it is about`);
  return found[1]!;
}

/** One case a file; what must be compiled is, in the sandbox itself. */
export async function runtimeCases(registry: string, engine: Engine): Promise<Case[]> {
  const image = await ensureSandbox(ROOT, 'debian12-runtimes', registry);
  const sources = readdirSync(FOLDER)
    .sort()
    .map((path): CaseFile => ({ path, content: readFileSync(join(FOLDER, path)) }));
  const toCompile = sources.filter(({ path }) => /\.(java|go)$/.test(path));
  const compiled = await compileInside(engine, image, toCompile, COMPILE);
  return sources.map((source): Case => {
    const extension = extname(source.path);
    const name = basename(source.path, extension);
    const filesOf: Record<string, CaseFile[]> = {
      '.java': compiled.filter(({ path }) => path.endsWith('.class')),
      '.go': compiled.filter(({ path }) => path === name),
    };
    return {
      group: 'runtimes',
      name: { '.java': 'java-', '.go': 'go-' }[extension]
        ? `${extension.slice(1)}-${name.toLowerCase()}`
        : name,
      source: firstLine(source.path, String(source.content)),
      expected: 'identical',
      run: RUN[extension]!(source.path, name),
      image,
      timeoutS: 60,
      files: filesOf[extension] ?? [source],
    };
  });
}
