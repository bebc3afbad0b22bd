/** The documents hold together: no link leads nowhere, every document is in the index, no command is stale. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, it } from 'vitest';

import { COMMANDS, NOUNS } from '../support/commands.ts';

const ROOT = join(import.meta.dirname, '../..');
const documents = globSync(['*.md', 'docs/*.md', 'findings/README.md'], { cwd: ROOT }).map((path) => ({
  path,
  text: readFileSync(join(ROOT, path), 'utf8'),
}));

/** As Markdown's renderers name a heading: lower case, spaces to hyphens, nothing else but letters and digits. */
function anchorsOf(text: string): string[] {
  const headings = [...text.matchAll(/^#{1,6} (.+)$/gm)].map((match) => match[1]!);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

it('every link leads somewhere', () => {
  const dead = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map((match) => match[1]!)
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => {
        const [file = '', anchor] = target.split('#');
        const at = file === '' ? path : normalize(join(dirname(path), file));
        if (globSync(at, { cwd: ROOT }).length === 0) return true;
        if (anchor === undefined) return false;
        return !anchorsOf(readFileSync(join(ROOT, at), 'utf8')).includes(anchor);
      })
      .map((target) => `${path}: ${target}`),
  );
  expect(dead).toEqual([]);
});

it('every document is in the index', () => {
  const index = documents.find(({ path }) => path === 'docs/README.md')!.text;
  const missing = documents
    .map(({ path }) => path)
    .filter((path) => path.startsWith('docs/') && path !== 'docs/README.md')
    .filter((path) => !index.includes(`](${path.slice('docs/'.length)})`));
  expect(missing).toEqual([]);
});

it('every command that a document shows has a page of help', () => {
  const pages = [...NOUNS, ...COMMANDS.map(({ name }) => name)];
  const stale = documents
    .filter(({ path }) => path !== 'CHANGELOG.md')
    .flatMap(({ path, text }) =>
      [...text.matchAll(/(?:`|^\$ |^)reenact ([a-z][a-z-]*)(?: ([a-z][a-z-]*)\b(?![.=:/]))?/gm)]
        .map(([, verb = '', second]) => [verb, `${verb} ${second}`])
        // What bag-info.txt calls the making of a bundle's texts.
        .filter(([verb]) => verb !== 'texts')
        .filter(([verb, both]) => !pages.includes(verb!) && !pages.includes(both!))
        .map(([, both]) => `${path}: reenact ${both}`),
    );
  expect(stale).toEqual([]);
});
