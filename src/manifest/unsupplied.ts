/** Files below /case that a command names and no input supplies: a forgotten --input, most of the time. */
import { present } from '../base/list.ts';

/** Up to what ends a name in a shell's words; globs are left out, since what they find is not known. */
const NAMED = /\/case\/([A-Za-z0-9_@%+=.,:/-]+)/g;

/** Each path once, in order; `inputs` are the paths that are supplied, files whose folder may be named as well. */
export function unsuppliedInputs(texts: readonly string[], inputs: readonly string[]): string[] {
  const named = texts.flatMap((text) =>
    [...text.matchAll(NAMED)].map(([, name]) => present(name).replace(/[.,:/]+$/, '')),
  );
  const there = (name: string): boolean =>
    inputs.some((input) => input === name || input.startsWith(`${name}/`));
  return [...new Set(named)].filter((name) => name !== '' && !there(name)).map((name) => `/case/${name}`);
}
